// Keeps the bell right while the page is looked at: the server says that something changed, and the bell asks what it shows now.
// A page that nobody looks at listens to nothing, so that many tabs cost the browser and the server no connections.
const bell = document.querySelector("[data-bell]");
const title = document.title;
let source = null;
let since = bell?.dataset.since;

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

function listen() {
  if (source || document.visibilityState !== "visible") return;
  source = new EventSource(`${bell.dataset.bell}?since=${since}`);
  source.addEventListener("message", (event) => {
    if (event.lastEventId) since = event.lastEventId;
    const { type } = JSON.parse(event.data);
    if (type === "ended") stop();
    if (type === "notifications.changed" || type === "reset") refresh();
  });
}

function stop() {
  source?.close();
  source = null;
}

if (bell && "EventSource" in window) {
  document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? listen() : stop()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);
  listen();
}
