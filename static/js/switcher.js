// Narrows the list of organizations while somebody types. Without a script the field's form asks the server.
for (const panel of document.querySelectorAll("[data-switcher]")) {
  const input = panel.querySelector("[data-switcher-input]");
  input?.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    const items = [...panel.querySelectorAll("[data-switcher-text]")];
    for (const item of items) {
      item.hidden = !item.dataset.switcherText.includes(wanted);
    }
    panel.querySelector("[data-switcher-empty]").hidden = items.some((item) => !item.hidden);
  });
}
