// A form that takes longer than 300 ms says so on its button, and cannot be sent twice.
const PATIENCE = 300;

function mark(button) {
  const label = button.querySelector("[data-label]");
  if (label) {
    button.dataset.idleLabel = label.textContent;
    label.textContent = button.dataset.pending;
  }
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
}

function unmark(button) {
  const label = button.querySelector("[data-label]");
  if (label && button.dataset.idleLabel) label.textContent = button.dataset.idleLabel;
  button.disabled = false;
  button.removeAttribute("aria-busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  const button = event.submitter?.closest("[data-pending]");
  if (!button || event.defaultPrevented) return;
  form.dataset.sent = "true";
  setTimeout(() => mark(button), PATIENCE);
});

// A page brought back by the back button is ready to be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[data-pending][aria-busy]")) unmark(button);
});
