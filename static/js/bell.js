// Keeps the bell right: when notifications change, it asks what it shows now.
const bell = document.querySelector("[data-bell]");
const title = document.title;

function show({ unread, label }) {
  for (const each of document.querySelectorAll("[data-bell]")) {
    const badge = each.querySelector("[data-bell-count]");
    badge.textContent = unread > 99 ? "99+" : String(unread);
    badge.hidden = unread === 0;
    each.querySelector("[data-bell-label]").textContent = label;
  }
  document.title = unread > 0 ? `(${unread > 99 ? "99+" : unread}) ${title}` : title;
}

async function refresh() {
  const answer = await fetch(bell.dataset.count, { headers: { accept: "application/json" } });
  if (answer.ok) show(await answer.json());
}

if (bell) {
  document.addEventListener("live", ({ detail }) => {
    if (detail.type === "notifications.changed" || detail.type === "reset") refresh();
  });
}
