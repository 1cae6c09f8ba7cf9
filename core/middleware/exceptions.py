"""Exceptions that somebody has a handler for become responses here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core._exception_handler import HANDLERS_SCOPE_KEY, answer_exception, find_handler, track
from core.exceptions import HTTPException, WebSocketException
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.types import ASGIApp, ExceptionHandler, Receive, Scope, Send
from core.websockets import WebSocket

STATUS_CODES_WITHOUT_BODY = frozenset({204, 304})


class ExceptionMiddleware:
    """Answers exceptions with the handlers of the application; those without a handler pass through."""

    def __init__(
        self, app: ASGIApp, handlers: Mapping[Any, ExceptionHandler] | None = None, debug: bool = False
    ) -> None:
        self.app = app
        self.debug = debug  # Kept for callers that read it; the pages for developers are ServerErrorMiddleware's.
        self._status_handlers: dict[int, ExceptionHandler] = {}
        self._exception_handlers: dict[Any, ExceptionHandler] = {
            HTTPException: self.http_exception,
            WebSocketException: self.websocket_exception,
        }
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
            await self.app(scope, receive, send)
            return
        scope[HANDLERS_SCOPE_KEY] = self._exception_handlers, self._status_handlers
        tracked = track(send)
        try:
            await self.app(scope, receive, tracked)
        except Exception as error:
            handler = find_handler(error, self._exception_handlers, self._status_handlers)
            if handler is None:
                raise
            connection_class = Request if scope["type"] == "http" else WebSocket
            connection = connection_class(scope, receive, tracked)
            await answer_exception(error, handler, connection, receive, tracked)

    async def http_exception(self, request: Request, exc: Exception) -> Response:
        """The answer to an HTTPException that nobody else handles: its detail as plain text."""
        assert isinstance(exc, HTTPException)
        if exc.status_code in STATUS_CODES_WITHOUT_BODY:
            return Response(status_code=exc.status_code, headers=exc.headers)
        return PlainTextResponse(exc.detail, status_code=exc.status_code, headers=exc.headers)

    async def websocket_exception(self, websocket: WebSocket, exc: Exception) -> None:
        """The answer to a WebSocketException that nobody else handles: close with its code and reason."""
        assert isinstance(exc, WebSocketException)
        await websocket.close(code=exc.code, reason=exc.reason)
