"""A name for each request, in the logs, on the error page and in the response."""

import re
import uuid
from collections.abc import Awaitable

from core._headers import encode_header
from core.requests import HTTPConnection
from core.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID_SCOPE_KEY = "request_id"
HARMLESS = re.compile(rb"[0-9A-Za-z_.-]{1,64}")


def request_id(request: HTTPConnection) -> str:
    """Return the request's id, "" where RequestIdMiddleware is not installed."""
    return str(request.scope.get(REQUEST_ID_SCOPE_KEY, ""))


class RequestIdMiddleware:
    """Puts a random id (32 hexadecimal digits) into `scope["request_id"]` and the response's `x-request-id`.

    With `accept_incoming` an id in the request's own header is kept, if it is short and made of letters, digits and `-_.`:
    for applications behind a proxy that numbers requests. Otherwise a client could write what it likes into the logs.
    """

    def __init__(self, app: ASGIApp, *, header: str = "x-request-id", accept_incoming: bool = False) -> None:
        self.app = app
        self.accept_incoming = accept_incoming
        self._header = encode_header(header, "")[0]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        identifier = (self._incoming(scope) if self.accept_incoming else "") or uuid.uuid4().hex
        scope[REQUEST_ID_SCOPE_KEY] = identifier
        field = self._header, identifier.encode()

        def send_identified(message: Message) -> Awaitable[None]:
            if message["type"].endswith("http.response.start"):
                others = [other for other in message.get("headers", ()) if other[0] != self._header]
                message["headers"] = [*others, field]
            return send(message)

        return await self.app(scope, receive, send_identified)

    def _incoming(self, scope: Scope) -> str:
        values = [value for name, value in scope["headers"] if name == self._header]
        return bytes(values[0]).decode() if len(values) == 1 and HARMLESS.fullmatch(values[0]) else ""
