// What happens while the page is looked at: the server says that something changed, and other modules hear it as an event "live".
// A page that nobody looks at listens to nothing, so that many tabs cost the browser and the server no connections.
const bell = document.querySelector("[data-bell]");
let source = null;
let since = bell?.dataset.since;

function address() {
  const named = [...document.querySelectorAll("[data-live-topic]")].map((part) => part.dataset.liveTopic);
  const topics = named.length > 0 ? [bell.dataset.topic, ...new Set(named)] : [];
  return `${bell.dataset.bell}?${new URLSearchParams([["since", since], ...topics.map((topic) => ["topic", topic])])}`;
}

function listen() {
  if (source || document.visibilityState !== "visible") return;
  source = new EventSource(address());
  source.addEventListener("message", (event) => {
    if (event.lastEventId) since = event.lastEventId;
    const told = JSON.parse(event.data);
    if (told.type === "ended") stop();
    document.dispatchEvent(new CustomEvent("live", { detail: told }));
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
