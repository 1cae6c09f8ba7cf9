// Forms that ask the browser for a passkey: [data-passkey="create"] makes one, [data-passkey="get"] signs with one. What comes
// back goes into the form's hidden field and is sent like any form. [data-passkey-autofill] also offers passkeys in the page's
// fields (autocomplete="… webauthn") for as long as the page is open.
const REFRESH = 4 * 60 * 1000; // A challenge is good for five minutes.
let autofill = new AbortController();

for (const form of document.querySelectorAll("form[data-passkey]")) prepare(form);

function prepare(form) {
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  show(form, "[data-passkey-missing]", false);
  if (!isAt(form.dataset.passkeyHost)) {
    show(form, "[data-passkey-elsewhere]", true);
    return;
  }
  show(form, "[data-passkey-button]", true);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    autofill.abort();
    perform(form);
  });
  if ("passkeyAutofill" in form.dataset) offer(form);
}

// Passkeys belong to a domain; pages of its subdomains may use them too.
function isAt(host) {
  return location.hostname === host || location.hostname.endsWith(`.${host}`);
}

function show(form, selector, visible) {
  const element = form.querySelector(selector);
  if (element) element.hidden = !visible;
}

async function perform(form) {
  const status = form.querySelector("[data-passkey-status]");
  const button = form.querySelector("[data-passkey-button]");
  status.textContent = "";
  wait(button, true);
  try {
    send(form, await ask(form));
  } catch (error) {
    wait(button, false);
    status.textContent = form.dataset[MESSAGES[error.name] ?? "passkeyFailed"];
  }
}

const MESSAGES = { NotAllowedError: "passkeyRefused", AbortError: "passkeyRefused", InvalidStateError: "passkeyKnown" };

function wait(button, isWaiting) {
  const label = button.querySelector("[data-label]");
  button.dataset.idleLabel ??= label.textContent;
  label.textContent = isWaiting ? button.dataset.pending : button.dataset.idleLabel;
  button.disabled = isWaiting;
}

async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  autofill = new AbortController();
  const { signal } = autofill;
  const timer = setTimeout(() => {
    autofill.abort();
    offer(form);
  }, REFRESH);
  signal.addEventListener("abort", () => clearTimeout(timer));
  try {
    send(form, await ask(form, { mediation: "conditional", signal }));
  } catch {
    // Nobody chose a passkey, or the button was used instead: the form still works.
  }
}

async function ask(form, extra = {}) {
  const options = await fetchOptions(form);
  const credential =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: options })
      : await navigator.credentials.get({ publicKey: options, ...extra });
  return JSON.stringify(encoded(credential));
}

async function fetchOptions(form) {
  const token = form.elements.csrf_token?.value;
  const headers = { accept: "application/json", ...(token ? { "x-csrf-token": token } : {}) };
  const response = await fetch(form.dataset.passkeyOptions, { method: "POST", headers });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  const options = await response.json();
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const known of [...(options.allowCredentials ?? []), ...(options.excludeCredentials ?? [])]) known.id = bytes(known.id);
  return options;
}

function send(form, answer) {
  form.querySelector("[data-passkey-answer]").value = answer;
  const trust = document.querySelector("input[type=checkbox][name=trust]");
  if ("passkeyTrust" in form.dataset && trust) form.elements.trust.value = String(trust.checked);
  form.submit();
}

function encoded({ id, rawId, type, authenticatorAttachment, response }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const fields = parts.filter((part) => response[part]).map((part) => [part, text(response[part])]);
  const transports = response.getTransports?.();
  return {
    id,
    rawId: text(rawId),
    type,
    ...(authenticatorAttachment ? { authenticatorAttachment } : {}),
    response: { ...Object.fromEntries(fields), ...(transports ? { transports } : {}) },
  };
}

// Base64url (RFC 4648 section 5), as WebAuthn writes bytes in JSON.
function bytes(written) {
  const binary = atob(written.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
