// Keeps the meter beside a new password true while somebody types. The server measures, so that both always agree.
const PATIENCE = 300;

for (const meter of document.querySelectorAll("[data-strength]")) {
  const input = document.getElementById(meter.dataset.strength);
  if (!input?.form) continue;
  let timer;
  let asked = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    meter.hidden = input.value === "";
    if (!meter.hidden) timer = setTimeout(() => measure(++asked), PATIENCE);
  });

  async function measure(turn) {
    const form = new FormData(input.form);
    const body = new URLSearchParams({ password: input.value });
    for (const name of ["name", "email", "csrf_token"]) if (form.get(name)) body.set(name, form.get(name));
    const answer = await fetch(meter.dataset.strengthUrl, { method: "POST", body }).catch(() => null);
    if (!answer?.ok || turn !== asked) return;
    const { score, text } = await answer.json();
    meter.querySelector("meter").value = score;
    meter.querySelector("[data-strength-text]").textContent = text;
  }
}
