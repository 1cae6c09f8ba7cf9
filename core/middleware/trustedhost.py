"""Refuses requests whose Host header is not one of ours, so that nothing built from it can point elsewhere."""

from collections.abc import Sequence

from core._urls import requested_host
from core.datastructures import URL
from core.middleware.exceptions import answer
from core.responses import PlainTextResponse, RedirectResponse, Response
from core.types import ASGIApp, Receive, Scope, Send

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
        if any("*" in pattern.removeprefix("*.") for pattern in self.allowed_hosts if pattern != "*"):
            raise AssertionError(WRONG_PATTERN)
        self.allow_any = "*" in self.allowed_hosts
        self.www_redirect = www_redirect
        patterns = [pattern.lower() for pattern in self.allowed_hosts]
        self._names = frozenset(pattern for pattern in patterns if not pattern.startswith("*"))
        self._suffixes = tuple(pattern[1:] for pattern in patterns if pattern.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._is_allowed(host := requested_host(scope)):
            await self.app(scope, receive, send)
        else:
            await answer(self._refusal(scope, host), scope, receive, send)

    def _is_allowed(self, host: str) -> bool:
        return host in self._names or (bool(host) and (self.allow_any or host.endswith(self._suffixes)))

    def _refusal(self, scope: Scope, host: str) -> Response:
        if self.www_redirect and f"www.{host}" in self._names:
            url = URL(scope=scope)
            return RedirectResponse(str(url.replace(netloc=f"www.{url.netloc}")))
        return PlainTextResponse("Invalid host header", status_code=400)
