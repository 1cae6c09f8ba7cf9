// Shows what an API answers below the form that asked, instead of leaving the page. With a token it asks by that alone.
const credential = document.querySelector("[data-try-token]");
const areas = [...document.querySelectorAll("[data-try-area]")];
const strangers = areas.filter((area) => area.hidden);

if (credential) {
  credential.closest("[data-try-credential]").hidden = false;
  credential.addEventListener("input", () => {
    for (const area of strangers) area.hidden = !credential.value.trim();
  });
}

for (const form of document.querySelectorAll("[data-try]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = form.querySelector("[data-try-answer]");
    const { status, body } = await ask(form).catch(() => ({ status: answer.dataset.failed, body: "" }));
    form.querySelector("[data-try-status]").textContent = status;
    form.querySelector("[data-try-body]").textContent = body;
    answer.hidden = false;
  });
}

async function ask(form) {
  const response = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`, options());
  return { status: `${response.status} ${response.statusText}`, body: readable(await response.text()) };
}

// Cookies stay at home: a request with a token and a session is refused.
function options() {
  const token = credential?.value.trim();
  return token ? { credentials: "omit", headers: { authorization: `Bearer ${token}` } } : {};
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
