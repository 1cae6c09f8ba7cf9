// Narrows the list of organizations while somebody types. Without a script the field's form asks the server.
for (const panel of document.querySelectorAll("[data-switcher]")) {
  const input = panel.querySelector("[data-switcher-input]");
  input?.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const item of panel.querySelectorAll("[data-switcher-text]")) {
      item.hidden = !item.dataset.switcherText.includes(wanted);
    }
  });
}
