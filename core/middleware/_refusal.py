"""How a middleware refuses a connection so that it looks like every other error of the application."""

from __future__ import annotations

from core.exceptions import HTTPException
from core.middleware.exceptions import ExceptionMiddleware
from core.types import Receive, Scope, Send


async def refuse(error: HTTPException, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the application in the scope answers this exception when a handler raises it; plain text without one."""
    handlers = getattr(scope.get("app"), "exception_handlers", {})

    async def raise_error(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    await ExceptionMiddleware(raise_error, handlers)(scope, receive, send)
