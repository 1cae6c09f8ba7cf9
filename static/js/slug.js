// Says while somebody types whether an address is free, and makes one out of the name. Without a script a button asks.
const PATIENCE = 300;

for (const region of document.querySelectorAll("[data-slug-check]")) {
  const slug = document.getElementById(region.dataset.slugField);
  const name = document.getElementById(region.dataset.slugName);
  const answer = region.querySelector("[data-slug-answer]");
  let isOwn = slug.value !== "";
  let timer;
  let asked = 0;
  region.querySelector("[data-slug-button]").hidden = true;
  slug.addEventListener("input", () => {
    isOwn = slug.value !== "";
    askSoon();
  });
  name?.addEventListener("input", () => {
    if (isOwn) return;
    slug.value = slugOf(name.value);
    askSoon();
  });

  function askSoon() {
    clearTimeout(timer);
    if (slug.value) timer = setTimeout(() => ask(++asked), PATIENCE);
    else answer.textContent = "";
  }

  async function ask(turn) {
    const token = slug.form.elements.csrf_token?.value ?? "";
    const body = new URLSearchParams({ slug: slug.value, csrf_token: token });
    const response = await fetch(region.dataset.slugCheck, { method: "POST", body }).catch(() => null);
    if (!response?.ok || turn !== asked) return;
    answer.textContent = (await response.json()).text;
  }
}

function slugOf(name) {
  const plain = name.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "-").slice(0, 40).replace(/^-+|-+$/g, "");
}
