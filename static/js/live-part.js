// Parts of a page that change by themselves, such as <section id="progress" data-live="job.progressed">: when such an event is told,
// the page is asked for anew and the part takes what stands in it there. So the server alone knows how things look.
const ONCE_IN = 1000; // Milliseconds: work that goes on quickly is shown once a second.
let isWaiting = false;

function isMeant(part, { type, data }) {
  const own = part.dataset.liveUnlessBy;
  return type === "reset" || (part.dataset.live.split(" ").includes(type) && !(own && data?.user_id === own));
}

async function renew() {
  isWaiting = false;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const renewed = page.getElementById(part.id);
    // The part itself stays: a live region that is replaced is not read out.
    if (renewed && renewed.innerHTML !== part.innerHTML) part.replaceChildren(...renewed.childNodes);
  }
}

document.addEventListener("live", ({ detail }) => {
  if (isWaiting || ![...document.querySelectorAll("[data-live]")].some((part) => isMeant(part, detail))) return;
  isWaiting = true;
  setTimeout(renew, ONCE_IN);
});
