// Runs the explorer's query and shows the answer beside it, instead of leaving the page.
for (const form of document.querySelectorAll("[data-run-query]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const status = document.querySelector("[data-query-status]");
    try {
      show(await answer(form));
      status.textContent = status.dataset.done;
    } catch (error) {
      const text = error instanceof SyntaxError ? status.dataset.notJson : status.dataset.failed;
      show(text);
      status.textContent = text;
    }
  });
}

async function answer(form) {
  const { query, variables } = form.elements;
  const response = await fetch(form.action, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/json", "x-csrf-token": form.dataset.csrfToken },
    body: JSON.stringify({ query: query.value, variables: JSON.parse(variables.value || "null") }),
  });
  return readable(await response.text());
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function show(text) {
  const place = document.querySelector("[data-query-answer]");
  place.querySelector("code").textContent = text;
  place.hidden = false;
  document.querySelector("[data-query-hint]").hidden = true;
}
