// Shows how much of an upload has arrived, and takes files that are dropped on the form. Without this the form sends itself.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-upload]") || event.defaultPrevented || !window.FormData) return;
  event.preventDefault();
  if (!form.dataset.uploading) send(form);
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest?.("[data-upload]");
    if (!form) return;
    event.preventDefault();
    form.classList.toggle("upload--over", kind === "dragover");
    if (kind === "drop") form.querySelector("[type=file]").files = event.dataTransfer.files;
  });
}

function send(form) {
  const find = (name) => form.querySelector(`[data-upload-${name}]`);
  const [progress, state, button] = [find("progress"), find("state"), form.querySelector("[type=submit]")];
  const request = new XMLHttpRequest();

  function show(isSending, text = "") {
    if (isSending) form.dataset.uploading = "true";
    else delete form.dataset.uploading;
    button.disabled = isSending;
    progress.hidden = !isSending;
    state.textContent = text;
  }

  request.upload.addEventListener("progress", ({ lengthComputable, loaded, total }) => {
    if (!lengthComputable) return;
    progress.value = Math.round((100 * loaded) / total);
    state.textContent = `${progress.value} %`;
  });
  request.addEventListener("load", () => {
    show(false);
    showPage(request);
  });
  request.addEventListener("error", () => show(false, form.dataset.uploadFailed));
  request.open("POST", form.action);
  request.responseType = "document";
  request.setRequestHeader("Accept", "text/html");
  show(true, "0 %");
  request.send(new FormData(form));
}

// What the server answered, the page with the new files or a page that says what is wrong, takes the place of this one.
function showPage({ response, responseURL }) {
  const [here, there] = [document.querySelector("main"), response?.querySelector("main")];
  if (!there) {
    location.reload();
    return;
  }
  const flashes = [document, response].map((page) => page.querySelector("[data-flashes]"));
  if (flashes[0] && flashes[1]) flashes[0].replaceChildren(...flashes[1].childNodes);
  here.replaceWith(there);
  document.title = response.title;
  history.replaceState(null, "", responseURL);
  there.focus({ preventScroll: true });
  scrollTo(0, 0);
}
