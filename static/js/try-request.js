// Shows what an API answers below the form that asked, instead of leaving the page.
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
  const response = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`);
  return { status: `${response.status} ${response.statusText}`, body: readable(await response.text()) };
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
