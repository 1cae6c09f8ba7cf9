"""Endpoints as classes: a method for each HTTP verb, or for each event of a websocket."""

from __future__ import annotations

import inspect
import json
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, NoReturn

from core._router_index import VERBS
from core._typed.markers import Depends
from core._typed.signature import UNGUARDED, InvalidSignature, compile_typed, is_plain
from core.concurrency import call_function
from core.requests import Request
from core.responses import Response, refusal
from core.status import WS_1000_NORMAL_CLOSURE, WS_1003_UNSUPPORTED_DATA, WS_1011_INTERNAL_ERROR
from core.types import ASGIApp, Message, Receive, Scope, Send
from core.websockets import WebSocket


class _Endpoint:
    scope_type: ClassVar[str]
    # The methods that handle a connection or an event of it, with the names of what an event brings along.
    handlers: ClassVar[Mapping[str, Sequence[str]]]

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != self.scope_type:
            raise AssertionError(f"{type(self).__name__} needs a scope of type {self.scope_type}, not {scope['type']}.")
        self.scope = scope
        self.receive = receive
        self.send = send

    def __await__(self) -> Generator[Any, None, None]:
        return self.dispatch().__await__()

    async def dispatch(self) -> None:
        """Answer the connection."""

    @classmethod
    def at_path(cls, path: str, dependencies: Sequence[Depends]) -> ASGIApp:
        """What answers at a route's path: the class, or one derived from it whose typed methods are compiled.

        An event of a websocket was let in when it was connected: `dependencies` are run once. Raises InvalidSignature.
        """
        if dependencies and cls.dispatch.__module__ != __name__:
            raise InvalidSignature(cls.dispatch, UNGUARDED)
        compiled = {}
        for name, values in cls.handlers.items():
            method = inspect.getattr_static(cls, name, None)
            before = () if values else dependencies
            if inspect.isfunction(method) and (before or not is_plain(partial(method, None), event_values=len(values))):
                compiled[name] = _compiled(method, path, before, values)
            elif method is not None and before:
                raise InvalidSignature(method, UNGUARDED)
        return type(cls.__name__, (cls,), compiled) if compiled else cls


def _compiled(method: Any, path: str, dependencies: Sequence[Depends], values: Sequence[str]) -> Any:
    given = (*list(inspect.signature(method).parameters)[:1], *values)
    endpoint = compile_typed(method, path, dependencies, given)

    async def handle(self: Any, connection: Any, *event: Any) -> Any:
        return await endpoint(connection, dict(zip(given, (self, *event), strict=True)))

    return handle


class HTTPEndpoint(_Endpoint):
    """Answers a request with its method `get`, `post`, …, async or blocking. HEAD is answered by `get` if need be.

    In a route its methods may declare what they need (see core.params).
    """

    scope_type = "http"
    handlers = {verb.lower(): () for verb in VERBS}  # noqa: RUF012 (the base class says that it belongs to the class)

    async def dispatch(self) -> None:
        request: Request = Request(self.scope, self.receive, self.send)
        handler = self._handler(request.method) or self.method_not_allowed
        response = await call_function(handler, request)
        await response(self.scope, self.receive, self.send)

    async def method_not_allowed(self, request: Request) -> Response:
        headers = {"Allow": ", ".join(method for method in VERBS if self._handler(method))}
        return refusal(self.scope, 405, headers)

    def _handler(self, method: str) -> Any:
        # Only these names are looked up on the class: a method invented by a client reaches nothing (CVE-2026-48817).
        own = getattr(self, method.lower(), None) if method in VERBS else None
        return getattr(self, "get", None) if own is None and method == "HEAD" else own


class WebSocketEndpoint(_Endpoint):
    """Handles a websocket by `on_connect`, `on_receive` for each message, and `on_disconnect`, which always runs.

    `encoding` says what messages must be; one of another kind ends the connection with 1003. With None they are
    handed over as they are. In a route its methods may declare what they need, and are then given `data` and
    `close_code` by these names.
    """

    scope_type = "websocket"
    handlers = {"on_connect": (), "on_receive": ("data",), "on_disconnect": ("close_code",)}  # noqa: RUF012
    encoding: Literal["text", "bytes", "json"] | None = None

    async def dispatch(self) -> None:
        websocket: WebSocket = WebSocket(self.scope, self.receive, self.send)
        await self.on_connect(websocket)
        close_code = WS_1000_NORMAL_CLOSURE
        try:
            while (message := await websocket.receive())["type"] != "websocket.disconnect":
                await self.on_receive(websocket, await self.decode(websocket, message))
            close_code = int(message.get("code") or WS_1000_NORMAL_CLOSURE)
        except Exception:
            close_code = WS_1011_INTERNAL_ERROR
            raise
        finally:
            await self.on_disconnect(websocket, close_code)

    async def decode(self, websocket: WebSocket, message: Message) -> Any:
        text, data = message.get("text"), message.get("bytes")
        if self.encoding == "json":
            try:
                return json.loads(text if text is not None else data or b"")
            except ValueError:
                await refuse(websocket, "Malformed JSON data received.")
        if self.encoding not in ("text", "bytes", None):
            raise AssertionError(f"Unsupported 'encoding' attribute {self.encoding!r}.")
        value, other = (data, "text") if self.encoding == "bytes" else (text, "bytes")
        if self.encoding is not None and value is None:
            await refuse(websocket, f"Expected {self.encoding} websocket messages, but got {other}")
        return data if value is None else value

    async def on_connect(self, websocket: WebSocket) -> None:
        """Override to handle an incoming connection; must accept it or close it."""
        await websocket.accept()

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        """Override to handle an incoming message."""

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        """Override to handle the end of the connection. The code is 1011 if this endpoint has raised."""


async def refuse(websocket: WebSocket, reason: str) -> NoReturn:
    await websocket.close(WS_1003_UNSUPPORTED_DATA)
    raise RuntimeError(reason)
