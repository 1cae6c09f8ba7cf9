// One button ticks every box of a list, or none. Without a script people tick them one by one.
for (const button of document.querySelectorAll("[data-choose-all]")) {
  const boxes = [...button.form.querySelectorAll("[data-choice]")];
  const labels = { all: button.textContent, none: button.dataset.labelNone };
  const show = () => (button.textContent = boxes.every((box) => box.checked) ? labels.none : labels.all);
  button.hidden = false;
  button.addEventListener("click", () => {
    const chosen = !boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = chosen;
    show();
  });
  button.form.addEventListener("change", show);
}
