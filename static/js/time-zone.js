// Offers the browser's own time zone. The list is searched by the browser itself.
for (const region of document.querySelectorAll("[data-time-zone]")) {
  const input = document.getElementById(region.dataset.timeZone);
  const button = region.querySelector("[data-time-zone-detect]");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || zone === input.value) continue;
  button.textContent = button.dataset.timeZoneDetect.replace("{zone}", zone);
  button.hidden = false;
  button.addEventListener("click", () => {
    input.value = zone;
    button.hidden = true;
    input.focus();
  });
}
