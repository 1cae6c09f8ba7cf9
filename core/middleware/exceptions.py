"""Exceptions that somebody has a handler for become responses here, and so do the refusals of other middleware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core._exception_handler import HANDLERS_SCOPE_KEY, answer_exception
from core._tracked_send import TrackedSend, track
from core.exceptions import HTTPException, WebSocketException
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.types import ASGIApp, ExceptionHandler, Receive, Scope, Send
from core.websockets import WebSocket, WebSocketClose, WebSocketState

STATUS_CODES_WITHOUT_BODY = frozenset({204, 304})

# In bytes: a close frame has 125, two of which are the code (RFC 6455 section 5.5).
LONGEST_REASON = 123


class ExceptionMiddleware:
    """Answers exceptions with the handlers of the application; those without a handler pass through."""

    def __init__(
        self, app: ASGIApp, handlers: Mapping[Any, ExceptionHandler] | None = None, debug: bool = False
    ) -> None:
        self.app = app
        self.debug = debug  # Kept for callers that read it; the pages for developers are ServerErrorMiddleware's.
        self._status_handlers: dict[int, ExceptionHandler] = {}
        # Any, because http_exception answers connections of both kinds and the others those of one.
        self._exception_handlers: dict[Any, Any] = {
            HTTPException: self.http_exception,
            WebSocketException: self.websocket_exception,
        }
        self.handlers = self._exception_handlers, self._status_handlers
        for key, handler in (handlers or {}).items():
            self.add_exception_handler(key, handler)

    def add_exception_handler(self, exc_class_or_status_code: int | type[Exception], handler: ExceptionHandler) -> None:
        """Register a handler for a status code of HTTPException, or for a class of exceptions."""
        if isinstance(exc_class_or_status_code, int):
            self._status_handlers[exc_class_or_status_code] = handler
        elif issubclass(exc_class_or_status_code, Exception):
            self._exception_handlers[exc_class_or_status_code] = handler
        else:
            raise TypeError(f"{exc_class_or_status_code!r} is neither a status code nor a class of exceptions.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        scope[HANDLERS_SCOPE_KEY] = self.handlers
        tracked = track(send)
        try:
            return await self.app(scope, receive, tracked)
        except Exception as error:
            if not await self.answer(error, scope, receive, tracked):
                raise

    async def answer(self, error: Exception, scope: Scope, receive: Receive, send: TrackedSend) -> bool:
        """Whether there is a handler that answers."""
        connection = (Request if scope["type"] == "http" else WebSocket)(scope, receive, send)
        return await answer_exception(error, connection, receive, send, self.handlers)

    async def http_exception(self, request: Request | WebSocket, exc: Exception) -> Response | None:
        """The answer to an HTTPException that nobody else handles: its detail as plain text.

        A websocket that was accepted, or whose server can only close it, is closed instead (RFC 6455 section 7.4.1).
        """
        assert isinstance(exc, HTTPException)
        if isinstance(request, WebSocket) and not _can_be_denied(request):
            code = 1008 if exc.status_code < 500 else 1011
            await request.close(code, exc.detail.encode()[:LONGEST_REASON].decode(errors="ignore"))
            return None
        if exc.status_code in STATUS_CODES_WITHOUT_BODY:
            return Response(status_code=exc.status_code, headers=exc.headers)
        return PlainTextResponse(exc.detail, status_code=exc.status_code, headers=exc.headers)

    async def websocket_exception(self, websocket: WebSocket, exc: Exception) -> None:
        """The answer to a WebSocketException that nobody else handles: close with its code and reason."""
        assert isinstance(exc, WebSocketException)
        await websocket.close(code=exc.code, reason=exc.reason)


def _can_be_denied(websocket: WebSocket) -> bool:
    is_undecided = websocket.application_state is WebSocketState.CONNECTING
    return is_undecided and "websocket.http.response" in websocket.scope.get("extensions", {})


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
