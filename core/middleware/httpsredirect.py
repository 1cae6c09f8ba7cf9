"""Sends whoever came by plain HTTP to the same address by HTTPS."""

from core._urls import SCHEMES
from core.datastructures import URL
from core.middleware.exceptions import answer
from core.responses import PlainTextResponse, RedirectResponse, Response
from core.types import ASGIApp, Receive, Scope, Send

STANDARD_PORTS = (80, 443)


class HTTPSRedirectMiddleware:
    """Answers http and ws requests with 307 to https and wss. A standard port is dropped, another one kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["scheme"] in ("http", "ws"):
            await answer(_redirect(scope), scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _redirect(scope: Scope) -> Response:
    url = URL(scope=scope)
    netloc = url.netloc
    if not netloc:
        return PlainTextResponse("Invalid host header", status_code=400)
    if url.port in STANDARD_PORTS:
        # Cutting the text keeps the brackets of an IPv6 address, which url.hostname does not have.
        netloc = netloc.rpartition(":")[0]
    return RedirectResponse(str(url.replace(scheme=SCHEMES[scope["type"], True], netloc=netloc)))
