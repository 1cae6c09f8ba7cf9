"""The response headers that make browsers stricter, on every response."""

import secrets
from collections.abc import Awaitable, Mapping, Sequence

from core._headers import RawHeaders, encode_header
from core.requests import HTTPConnection
from core.types import ASGIApp, Message, Receive, Scope, Send

NONCE_SCOPE_KEY = "core.csp_nonce"
NONCE_BYTES = 16
ONE_YEAR = 365 * 24 * 60 * 60

# Everything comes from our own origin, scripts and styles only with the nonce or from our files, and nobody frames us.
DEFAULT_CONTENT_SECURITY_POLICY: Mapping[str, str | Sequence[str]] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": ("'self'", "data:"),
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}

FEATURES = ("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone", "payment", "usb")
DEFAULT_HEADERS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in FEATURES),
}

# Headers that only tell an attacker what to try.
REVEALING = frozenset({b"server", b"x-powered-by"})

NONCED_DIRECTIVES = ("script-src", "style-src")


def csp_nonce(request: HTTPConnection) -> str:
    """Return this response's nonce for `<script nonce=…>` and `<style nonce=…>`: 128 random bits, made on first use.

    Raises RuntimeError where SecurityHeadersMiddleware is not installed.
    """
    nonces: list[str] | None = request.scope.get(NONCE_SCOPE_KEY)
    if nonces is None:
        raise RuntimeError("SecurityHeadersMiddleware must be installed to use csp_nonce().")
    if not nonces:
        nonces.append(secrets.token_urlsafe(NONCE_BYTES))
    return nonces[0]


class SecurityHeadersMiddleware:
    """Adds the headers below to every response, errors and refused websockets included; a header already there wins.

    - `content_security_policy` maps directives to a source or several (CSP level 3). The nonce is added to script-src and
      style-src when the page asked for one. None sends no policy.
    - `hsts_seconds` is sent on https only, for subdomains too; 0 sends none (RFC 6797).
    - `headers` are all others; `{**DEFAULT_HEADERS, "referrer-policy": "no-referrer"}` changes one of them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        content_security_policy: Mapping[str, str | Sequence[str]] | None = DEFAULT_CONTENT_SECURITY_POLICY,
        hsts_seconds: int = ONE_YEAR,
        headers: Mapping[str, str] = DEFAULT_HEADERS,
    ) -> None:
        self.app = app
        self._policy = content_security_policy or {}
        self._policy_header = self._format_policy("")
        self._headers = [encode_header(name, value) for name, value in headers.items()]
        hsts = encode_header("strict-transport-security", f"max-age={hsts_seconds}; includeSubDomains")
        self._https_headers = [*self._headers, hsts] if hsts_seconds else self._headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        # None or one; a list, because a mounted application works on a copy of the scope.
        nonces: list[str] = []
        scope[NONCE_SCOPE_KEY] = nonces
        headers = self._https_headers if scope.get("scheme") in ("https", "wss") else self._headers

        def send_secured(message: Message) -> Awaitable[None]:
            # Ends alike for HTTP and for a refused websocket: "websocket.http.response.start".
            if message["type"].endswith("http.response.start"):
                message["headers"] = self._completed(message.get("headers", ()), headers, *nonces)
            return send(message)

        return await self.app(scope, receive, send_secured)

    def _completed(self, given: RawHeaders, added: RawHeaders, nonce: str = "") -> RawHeaders:
        completed = [field for field in given if field[0] not in REVEALING]
        names = {name for name, _ in completed}
        if self._policy:
            added = [*added, self._format_policy(nonce) if nonce else self._policy_header]
        return completed + [field for field in added if field[0] not in names]

    def _format_policy(self, nonce: str) -> tuple[bytes, bytes]:
        directives = []
        for directive, given in self._policy.items():
            sources = (given,) if isinstance(given, str) else given
            if nonce and directive in NONCED_DIRECTIVES:
                sources = (*(source for source in sources if source != "'none'"), f"'nonce-{nonce}'")
            directives.append(" ".join((directive, *sources)))
        return encode_header("content-security-policy", "; ".join(directives))
