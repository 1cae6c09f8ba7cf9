"""Refuses requests whose Host header is not one of ours, so that nothing built from it can point elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from core._urls import is_ip_literal, is_registered_name
from core.datastructures import URL
from core.middleware._refusal import answer
from core.responses import PlainTextResponse, RedirectResponse, Response
from core.types import ASGIApp, Receive, Scope, Send

# Names are at most 253 characters long (RFC 1035 section 2.3.4); the rest is for a port and to spare.
LONGEST_HOST = 300

WRONG_PATTERN = "Domain wildcard patterns must be like '*.example.com'."


class TrustedHostMiddleware:
    """Answers 400 unless there is exactly one Host header, it follows the grammar (RFC 9110 section 7.2) and is allowed.

    `allowed_hosts` are names (`example.com`, `[::1]`), names below a domain (`*.example.com`), or `*` for any. The port
    does not matter, nor does case. With `www_redirect` a request to `example.com` is sent on to an allowed
    `www.example.com`.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str] | None = None, www_redirect: bool = True) -> None:
        self.app = app
        self.allowed_hosts = list(allowed_hosts) if allowed_hosts is not None else ["*"]
        for pattern in self.allowed_hosts:
            if pattern != "*" and ("*" in pattern[1:] or (pattern.startswith("*") and not pattern.startswith("*."))):
                raise AssertionError(WRONG_PATTERN)
        self.allow_any = "*" in self.allowed_hosts
        self.www_redirect = www_redirect
        patterns = [pattern.lower() for pattern in self.allowed_hosts]
        self._names = frozenset(pattern for pattern in patterns if not pattern.startswith("*"))
        self._suffixes = tuple(pattern[1:] for pattern in patterns if pattern.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._is_allowed(host := _requested_host(scope)):
            await self.app(scope, receive, send)
            return
        await answer(self._refusal(scope, host), scope, receive, send)

    def _is_allowed(self, host: str) -> bool:
        return host in self._names or (bool(host) and (self.allow_any or host.endswith(self._suffixes)))

    def _refusal(self, scope: Scope, host: str) -> Response:
        if self.www_redirect and f"www.{host}" in self._names:
            url = URL(scope=scope)
            return RedirectResponse(str(url.replace(netloc=f"www.{url.netloc}")))
        return PlainTextResponse("Invalid host header", status_code=400)


def _requested_host(scope: Scope) -> str:
    """Return the host that was asked for, in lower case and without port; "" if that is missing, doubled or malformed."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    authority = hosts[0].decode("latin-1").lower() if len(hosts) == 1 and len(hosts[0]) <= LONGEST_HOST else ""
    if authority.startswith("["):
        address, bracket, port = authority.rpartition("]")
        return address + bracket if is_ip_literal(address[1:]) and (not port or _is_port(port[1:])) else ""
    host, colon, port = authority.partition(":")
    return host if is_registered_name(host) and (not colon or _is_port(port)) else ""


def _is_port(text: str) -> bool:
    # Digits of any number: the port does not decide about the host. core.datastructures.URL checks its range.
    return text.isascii() and text.isdigit()
