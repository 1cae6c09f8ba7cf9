"""Refuses request bodies that are too large, before the application has read too much of them."""

from __future__ import annotations

from collections.abc import Iterable

from core._tracked_send import TrackedSend, track
from core.exceptions import HTTPException
from core.responses import PlainTextResponse
from core.types import ASGIApp, Message, Receive, Scope, Send

# The limit in force, in bytes.
MAX_BODY_SIZE_SCOPE_KEY = "starlette.max_body_size"
RESPONDER_SCOPE_KEY = "core.body_limit"

# The header fields that describe the content of one response and not of another (RFC 9110 section 8).
CONTENT_HEADERS = frozenset(
    b"content-type content-length content-encoding content-language content-location content-disposition "
    b"content-range accept-ranges transfer-encoding trailer etag last-modified location".split()
)


class ContentTooLarge(HTTPException):
    """The body is larger than the limit (RFC 9110 section 15.5.14)."""

    def __init__(self) -> None:
        super().__init__(status_code=413, detail="Content Too Large")


def limit_body_size(app: ASGIApp, max_body_size: int | None) -> ASGIApp:
    """The application with that limit in bytes, or the application itself if there is none."""
    return app if max_body_size is None else RequestBodyLimitMiddleware(app, max_body_size)


class RequestBodyLimitMiddleware:
    """Answers 413 to requests whose body exceeds `max_body_size` bytes.

    Inside another one it replaces the outer limit, up or down: the most specific limit counts.
    """

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        outer_limit = scope.get(MAX_BODY_SIZE_SCOPE_KEY)
        scope[MAX_BODY_SIZE_SCOPE_KEY] = self.max_body_size
        try:
            responder: RequestBodyLimitResponder | None = scope.get(RESPONDER_SCOPE_KEY)
            if responder is None:
                return await RequestBodyLimitResponder(self.app, self.max_body_size)(scope, receive, send)
            responder.change_limit(self.max_body_size)
            return await self.app(scope, receive, send)
        finally:
            scope[MAX_BODY_SIZE_SCOPE_KEY] = outer_limit


class RequestBodyLimitResponder:
    """Watches one request. It stands in the scope, so that limits further inside can change this one's."""

    announced_size = received_size = 0
    has_raised = has_refused = False
    _receive: Receive
    _send: TrackedSend

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size

    def change_limit(self, max_body_size: int) -> None:
        """Count against another limit from here on. Raises ContentTooLarge if too much was read already."""
        self.max_body_size = max_body_size
        self._require_within_limit(self.received_size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, track(send)
        # Says that `receive` passes on what comes from there, so that a body that was read before is known inside.
        self.__wrapped__ = receive
        self.announced_size = _content_length(scope)
        scope[RESPONDER_SCOPE_KEY] = self
        try:
            await self.app(scope, self.receive, self.send)
        except ContentTooLarge:
            if self._send.response_started:
                raise
            await self._refuse()

    async def receive(self) -> Message:
        """The next message. Raises ContentTooLarge as soon as the body is known to be too large."""
        self._require_within_limit(self._size())
        message = await self._receive()
        self.received_size += len(message.get("body", b""))
        self._require_within_limit(self._size())
        return message

    async def send(self, message: Message) -> None:
        """Passes on what the application answers, unless it answers to a body that it must not have accepted."""
        if message["type"] == "http.response.start" and self._size() > self.max_body_size and not self.has_raised:
            # Raising here would look to the application as if its own response had begun.
            await self._refuse(message.get("headers", ()))
        elif not self.has_refused:
            await self._send(message)

    async def _refuse(self, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.has_refused = True
        response = PlainTextResponse("Content Too Large", status_code=413)
        # What middleware added to the response that this one replaces, security headers above all, is kept.
        response.raw_headers += [(name, value) for name, value in headers if name.lower() not in CONTENT_HEADERS]
        await response(self._scope, self._receive, self._send)

    def _size(self) -> int:
        return max(self.announced_size, self.received_size)

    def _require_within_limit(self, size: int) -> None:
        if size > self.max_body_size:
            # From now on the application answers, with its own page for 413 if it has one.
            self.has_raised = True
            raise ContentTooLarge


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            # Nineteen digits are more than any limit, and past 4300 converting them is an error.
            return int(value.lstrip(b"0")[:19] or b"0")
    return 0
