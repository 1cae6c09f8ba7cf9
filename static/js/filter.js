// A search field that hides what does not match while somebody types. Without a script its form asks the server.
for (const region of document.querySelectorAll("[data-filter]")) {
  const input = region.querySelector("[data-filter-input]");
  region.querySelector("[data-filter-submit]").hidden = true;
  input.addEventListener("input", () => show(region, input.value));
  input.form.addEventListener("submit", (event) => event.preventDefault());
}

function show(region, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of region.querySelectorAll("[data-filter-text]")) {
    item.hidden = !words.every((word) => item.dataset.filterText.includes(word));
  }
  const shown = region.querySelectorAll("article[data-filter-text]:not([hidden])").length;
  region.querySelector("[data-filter-count]").textContent = shown;
  region.querySelector("[data-filter-empty]").hidden = shown > 0;
}
