"""How an exception becomes a response: one tracked send, one lookup, used around endpoints and applications alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core._tracked_send import TrackedSend, track
from core._utils import is_async_callable
from core.concurrency import run_in_threadpool
from core.exceptions import HTTPException
from core.requests import Request
from core.types import ASGIApp, ExceptionHandler, Receive, Scope, Send
from core.websockets import WebSocket

# The handlers of the innermost ExceptionMiddleware: (by exception class, by status code).
HANDLERS_SCOPE_KEY = "starlette.exception_handlers"

Handlers = tuple[Mapping[Any, ExceptionHandler], Mapping[int, ExceptionHandler]]
Connection = Request | WebSocket


def find_handler(error: Exception, handlers: Handlers) -> ExceptionHandler | None:
    """The handler of the status code, else of the nearest class among the exception's ancestors."""
    by_class, by_status = handlers
    if isinstance(error, HTTPException) and error.status_code in by_status:
        return by_status[error.status_code]
    return next((by_class[ancestor] for ancestor in type(error).__mro__ if ancestor in by_class), None)


async def answer_exception(
    error: Exception, connection: Connection, receive: Receive, send: TrackedSend, handlers: Handlers | None = None
) -> bool:
    """Whether there is a handler, among these or those in the scope, that answers.

    Raises RuntimeError if a response has begun already.
    """
    handler: Any = find_handler(error, handlers or connection.scope.get(HANDLERS_SCOPE_KEY, ({}, {})))
    if handler is None:
        return False
    if send.response_started:
        raise RuntimeError("Caught handled exception, but response already started.") from error
    if is_async_callable(handler):
        response = await handler(connection, error)
    else:
        response = await run_in_threadpool(handler, connection, error)
    if response is not None:
        await response(connection.scope, receive, send)
    # A shared exception instance would otherwise keep the frames of every request that raised it.
    error.__traceback__ = None
    return True


def wrap_app_handling_exceptions(app: ASGIApp, conn: Connection) -> ASGIApp:
    """The application with exceptions turned into responses by the handlers found in the scope of `conn`."""

    async def handle_exceptions(scope: Scope, receive: Receive, send: Send) -> None:
        tracked = track(send)
        try:
            await app(scope, receive, tracked)
        except Exception as error:
            if not await answer_exception(error, conn, receive, tracked):
                raise

    return handle_exceptions
