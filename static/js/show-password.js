// A button beside a password shows it, and says which of both it does.
for (const button of document.querySelectorAll("[data-show-password]")) {
  const input = document.getElementById(button.dataset.showPassword);
  if (!input) continue;
  const label = button.querySelector("[data-label]");
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
    label.textContent = visible ? button.dataset.labelHide : button.dataset.labelShow;
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers keep what was typed in a text field; a password must not be among it.
  input.form?.addEventListener("submit", () => show(false));
}
