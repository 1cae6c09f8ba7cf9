// A button beside something worth copying; it confirms in words for two seconds.
for (const block of document.querySelectorAll("[data-copy]")) {
  const button = block.querySelector("[data-copy-button]");
  if (!button || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    confirm(button);
  });
}

function confirm(button) {
  const note = document.createElement("span");
  note.role = "status";
  note.className = "code__copied";
  note.textContent = button.dataset.copied;
  button.before(note);
  setTimeout(() => note.remove(), 2000);
}
