"""How a middleware answers instead of the application it stands in front of."""

from core.exceptions import HTTPException
from core.middleware.exceptions import ExceptionMiddleware
from core.types import ASGIApp, Receive, Scope, Send
from core.websockets import WebSocketClose


async def refuse(error: HTTPException, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the application in the scope answers this exception when a handler raises it; plain text without one."""
    handlers = getattr(scope.get("app"), "exception_handlers", {})

    async def raise_error(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    await answer(ExceptionMiddleware(raise_error, handlers), scope, receive, send)


async def answer(response: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the response; to a websocket only if the server can refuse it with one, else close it (HTTP 403)."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        response = WebSocketClose()
    await response(scope, receive, send)
