"""The last resort: whatever nobody handles becomes a 500 response, and is still raised for the server to log."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any

from core._tracked_send import TrackedSend, track
from core.concurrency import call_function
from core.middleware.exceptions import ExceptionMiddleware
from core.requests import Request
from core.responses import HTMLResponse, PlainTextResponse, Response
from core.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

FAILURES_SCOPE_KEY = "core.failures"

STYLES = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c2530 }
h1 { font-size: 1.5rem; margin: 0 0 .5rem } h2 { font-size: 1rem; font-weight: 400; margin: 0 0 2rem; white-space: pre-wrap }
details { border: 1px solid #ccd3db; border-radius: 6px; margin: .5rem 0 } summary { cursor: pointer; padding: .5rem 1rem }
pre { margin: 0; padding: .5rem 1rem; overflow-x: auto; border-top: 1px solid #ccd3db } mark { background: #ffe28a }
"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{styles}</style></head>
<body><h1>500 Server Error</h1><h2>{summary}</h2><h3>Traceback</h3>{frames}</body></html>
"""

FRAME = """<details{opened}><summary>File <code>{file}</code>, line <i>{line}</i>, in <b>{function}</b></summary>
<pre>{source}</pre></details>
"""


class ServerErrorMiddleware:
    """Answers any exception with a 500, by `handler` if given, and raises it again afterwards.

    With `debug` the answer shows the traceback.
    """

    def __init__(self, app: ASGIApp, handler: ExceptionHandler | None = None, debug: bool = False) -> None:
        self.app = app
        self.handler = handler
        self.debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        tracked = track(send)
        try:
            return await self.app(scope, receive, tracked)
        except Exception as error:
            await self.answer(error, scope, receive, tracked)
            raise

    async def answer(self, error: Exception, scope: Scope, receive: Receive, send: TrackedSend) -> None:
        """Respond, unless a response has begun."""
        response = await self._response_for(Request(scope), error)
        if not send.response_started:
            await response(scope, receive, send)

    async def _response_for(self, request: Request, error: Exception) -> Response:
        if not self.debug and self.handler is None:
            return self.error_response(request, error)
        # Handlers may answer None to a websocket; to a request they return a response.
        handler: Any = self.debug_response if self.debug else self.handler
        return await call_function(handler, request, error)  # type: ignore[no-any-return]

    def error_response(self, request: Request, exc: Exception) -> Response:
        """What people see when there is neither a handler nor debugging."""
        return PlainTextResponse("Internal Server Error", status_code=500)

    def debug_response(self, request: Request, exc: Exception) -> Response:
        """The traceback, as HTML to those who accept it and as text to all others."""
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self.generate_html(exc), status_code=500)
        return PlainTextResponse(self.generate_plain_text(exc), status_code=500)

    def generate_plain_text(self, exc: Exception) -> str:
        """The traceback as Python prints it."""
        return "".join(traceback.format_exception(exc))

    def generate_html(self, exc: Exception, limit: int = 7) -> str:
        """A page with the traceback, at most `limit` lines of source around each line; the innermost frame is open."""
        from html import escape  # Only here: with it comes a table of all entities.

        frames = inspect.getinnerframes(exc.__traceback__, limit) if exc.__traceback__ else []
        rendered = [self._render_frame(frame, frame is frames[-1], escape) for frame in frames]
        summary = escape("".join(traceback.format_exception_only(exc)).strip())
        return PAGE.format(title="500 Server Error", styles=STYLES, summary=summary, frames="".join(reversed(rendered)))

    def _render_frame(self, frame: inspect.FrameInfo, is_innermost: bool, escape: Callable[[str], str]) -> str:
        lines = enumerate(escape(line.rstrip("\n")) for line in frame.code_context or ())
        return FRAME.format(
            opened=" open" if is_innermost else "",
            file=escape(frame.filename),
            line=frame.lineno,
            function=escape(frame.function),
            source="\n".join(f"<mark>{line}</mark>" if place == frame.index else line for place, line in lines),
        )


class ErrorLayer(ServerErrorMiddleware):
    """ServerErrorMiddleware right around ExceptionMiddleware: an application does the work of both itself."""

    app: ExceptionMiddleware

    def __init__(self, app: ExceptionMiddleware, handler: ExceptionHandler | None = None, debug: bool = False) -> None:
        super().__init__(app, handler, debug)
        self.inmost = app.app

    async def settle(self, error: Exception, scope: Scope, receive: Receive, send: TrackedSend) -> None:
        """Answer an exception that came from the inmost application, and raise it unless that was expected."""
        try:
            if not await self.app.answer(error, scope, receive, send):
                raise error
        except Exception as unhandled:
            await self.answer(unhandled, scope, receive, send)
            raise


class InnerErrorMiddleware(ServerErrorMiddleware):
    """Answers inside the other middleware, so that they can add their headers, and leaves the raising to raise_outside."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tracked = track(send)
        try:
            await self.app(scope, receive, tracked)
        except Exception as error:
            if scope["type"] != "http" or tracked.response_started:
                raise
            scope[FAILURES_SCOPE_KEY].append(error)
            await self.answer(error, scope, receive, tracked)


def raise_outside(app: ASGIApp) -> ASGIApp:
    """The application, which raises what InnerErrorMiddleware has answered, once the other middleware have done their part."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        # A list, because middleware may hand on a copy of the scope.
        failures: list[Exception] = []
        scope[FAILURES_SCOPE_KEY] = failures
        await app(scope, receive, send)
        if failures:
            raise failures[0]

    return call
