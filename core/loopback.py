"""An ASGI server without a network: carries one request, websocket or lifespan through an application in memory.

Everything runs on the caller's event loop, asyncio or Trio, and no thread is started. `core.testclient` puts HTTP clients
in front of it. Message types and their order follow the ASGI specification (HTTP & WebSocket 2.4, lifespan 2.0).
"""

import contextlib
import inspect
import math
from collections.abc import Awaitable, Callable
from typing import Any, Self, cast

import anyio
import anyio.abc

from core.requests import ClientDisconnect
from core.types import ASGIApp, Message, Receive, Scope, Send
from core.websockets import WebSocketDisconnect

ASGI_VERSIONS = {"version": "3.0", "spec_version": "2.4"}

# How long an application may take to notice that its websocket client has left, and then to finish, in seconds. A server
# would wait for ever; a test should not hang because a handler never looks at its socket again.
NOTICING_GRACE = 1.0
CLOSING_GRACE = 10.0

# What a server that announces them passes on to the client ahead of the response; nothing depends on them.
HINTS = ("http.response.push", "http.response.early_hint")

ReadChunk = Callable[[], Awaitable[bytes | None]]


class ProtocolError(AssertionError):
    """The application sent what the ASGI specification does not allow at this point."""


def as_asgi3(app: Any) -> ASGIApp:
    """Return the application itself, or an ASGI 2 double callable (`app(scope)(receive, send)`) wrapped as ASGI 3."""
    try:
        inspect.signature(app).bind({}, None, None)
        return cast(ASGIApp, app)
    except TypeError:
        return lambda scope, receive, send: app(scope)(receive, send)


class Conversation:
    """The server's side of one ASGI connection; an async context manager that runs the application in a task beside.

    An error of the application is kept in `error` instead of cancelling the task of whoever holds the conversation, so
    that it surfaces where a caller looks for it and never as an exception group.
    """

    # Where the application's task runs. A group of the conversation's own would have to be left in the order of its
    # holder's cancel scopes: not inside a timeout, for example, that was entered after it.
    host: anyio.abc.TaskGroup | None = None
    receive: Receive
    send: Send

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        self.app = app
        self.scope = scope
        self.error: BaseException | None = None
        self.returned = anyio.Event()
        self._resources = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._cancelling = anyio.CancelScope()
        if (tasks := self.host) is None:
            tasks = await self._resources.enter_async_context(anyio.create_task_group())
        tasks.start_soon(self._run)
        try:
            await self.open()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            if not await self.close():
                await self.returned.wait()
        finally:
            await self._leave()

    async def open(self) -> None:
        """Wait until the application has answered the opening of the connection."""

    async def close(self) -> bool:
        """Tell the application that the client has left; return whether its task is to be cancelled."""
        return False

    def end(self) -> None:
        """Release whoever waits for the application; called when it has returned or failed."""

    def raise_error(self) -> None:
        """Raise what the application raised, once."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def _channel(self, capacity: float = math.inf) -> tuple[Any, Any]:  # Streams, of what their users say.
        ends = anyio.create_memory_object_stream[Any](capacity)
        for end in ends:
            # Closed last, and also if the task was cancelled while it left.
            self._resources.callback(end.close)
        return ends

    async def _run(self) -> None:
        try:
            with self._cancelling:
                await self.app(self.scope, self.receive, self.send)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            # Catching everything else carries KeyboardInterrupt or a test's failure to the caller as it is.
            self.error = error
        finally:
            self.end()
            self.returned.set()

    async def _leave(self) -> None:
        self._cancelling.cancel()
        with anyio.CancelScope(shield=True):
            await self.returned.wait()
        # The caller's own exception is not passed in: a task group would wrap it in an exception group.
        await self._resources.aclose()


class HTTPExchange(Conversation):
    """One request and its response. The response body is handed over chunk by chunk: `send` waits until it is read.

    Leaving before the body was read to its end is a disconnect. An application that does not notice is cancelled, as a
    server does not but a test must. Leaving after it waits for background tasks, unless the exchange is `abandoned`.
    """

    def __init__(self, app: ASGIApp, scope: Scope, read_chunk: ReadChunk | None, body: bytes = b"") -> None:
        super().__init__(app, scope)
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.extensions: dict[str, Any] = {}
        self.abandoned = False
        self._read_chunk = read_chunk
        self._body = body
        self._body_sent = self._last_chunk_sent = self._trailers_follow = self._left = False
        self._started = anyio.Event()
        self._completed = anyio.Event()
        self._chunks_in, self._chunks = self._channel(capacity=0)

    async def open(self) -> None:
        await self._started.wait()

    async def close(self) -> bool:
        if self.abandoned or self._completed.is_set():
            return self.abandoned
        self._left = True
        self._completed.set()
        self._chunks.close()
        with anyio.move_on_after(NOTICING_GRACE):
            await self.returned.wait()
        return True

    def raise_error(self) -> None:
        # Leaving is what the client did, not something that went wrong.
        if not (self._left and isinstance(self.error, OSError | ClientDisconnect)):
            super().raise_error()

    def end(self) -> None:
        self._started.set()
        self._chunks_in.close()

    async def next_chunk(self) -> bytes | None:
        """Return the next part of the body, or None at its end."""
        return await anext(self._chunks, None)

    async def receive(self) -> Message:
        if self._body_sent:
            # Waiting for what has happened already would be a checkpoint, which a poll in a cancelled scope never passes.
            if not self._completed.is_set():
                await self._completed.wait()
            return {"type": "http.disconnect"}
        chunk = self._body if self._read_chunk is None else await self._read_chunk()
        self._body_sent = self._read_chunk is None or chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": not self._body_sent}

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._take_start(message)
        elif kind == "http.response.body":
            await self._take_body(message)
        elif kind == "http.response.trailers":
            self._take_trailers(message)
        elif kind == "http.response.debug":
            self.extensions[kind] = message["info"]
        elif kind not in HINTS or kind not in self.scope.get("extensions", {}):
            raise ProtocolError(f"Unexpected ASGI message {kind!r} on an HTTP connection.")

    def _take_start(self, message: Message) -> None:
        if self.status is not None:
            raise ProtocolError('Received "http.response.start" twice.')
        self.status = message["status"]
        self.headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", [])]
        self._trailers_follow = message.get("trailers", False)
        if self._trailers_follow:
            self.extensions["http.response.trailers"] = []
        self._started.set()

    async def _take_body(self, message: Message) -> None:
        if self.status is None or self._last_chunk_sent:
            when = "before the response started" if self.status is None else "after body completed"
            raise ProtocolError(f'Received "http.response.body" {when}.')
        body = b"" if self.scope["method"] == "HEAD" else bytes(message.get("body", b""))
        self._last_chunk_sent = not message.get("more_body", False)
        # An empty part waits for a reader too: otherwise an endless stream of them would never let one run.
        if body or not self._last_chunk_sent:
            await self._put(body)
        if self._last_chunk_sent and not self._trailers_follow:
            self._complete()

    async def _put(self, body: bytes) -> None:
        try:
            await self._chunks_in.send(body)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise OSError("The client has left.") from None

    def _take_trailers(self, message: Message) -> None:
        if not self._trailers_follow or not self._last_chunk_sent or self._completed.is_set():
            where = "before body completed" if self._trailers_follow else "without declaring trailers"
            where = "after response completed" if self._completed.is_set() else where
            raise ProtocolError(f'Received "http.response.trailers" {where}.')
        self.extensions["http.response.trailers"].extend(message.get("headers", []))
        if not message.get("more_trailers", False):
            self._complete()

    def _complete(self) -> None:
        self._completed.set()
        self._chunks_in.close()


class WebSocketExchange(Conversation):
    """One websocket. After opening it is either accepted, or `denial` holds the response of a refused handshake."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        super().__init__(app, scope)
        self.accepted: Message = {}
        self.denial: Message | None = None
        self._left = False
        self._noticed = anyio.Event()
        self._to_app, self._from_client = self._channel()
        self._to_client, self._from_app = self._channel()

    async def open(self) -> None:
        """Raises WebSocketDisconnect if the application closed the socket instead of accepting it, or its error."""
        self.deliver({"type": "websocket.connect"})
        message = await self.next_message()
        if message["type"] == "websocket.accept":
            self.accepted = message
        elif message["type"] == "websocket.http.response.start":
            await self._read_denial(message)
        else:
            raise WebSocketDisconnect(message.get("code") or 1000, message.get("reason"))

    async def close(self) -> bool:
        self.disconnect(1000)
        with anyio.move_on_after(NOTICING_GRACE):
            await self._noticed.wait()
        if self._noticed.is_set():
            with anyio.move_on_after(CLOSING_GRACE):
                await self.returned.wait()
        return not self.returned.is_set()

    def end(self) -> None:
        self._noticed.set()
        self._to_client.close()

    def deliver(self, message: Message) -> None:
        """Queue a message for the application."""
        if not self._left:
            self._to_app.send_nowait(message)

    def disconnect(self, code: int, reason: str | None = None) -> None:
        """Queue the client's departure; nothing can be delivered after it."""
        self.deliver({"type": "websocket.disconnect", "code": code, "reason": reason or ""})
        self._left = True

    async def next_message(self) -> Message:
        """Return the application's next message; raises its error if it failed, code 1006 if it merely returned."""
        message: Message | None = await anext(self._from_app, None)
        if message is None:
            self.raise_error()
            raise WebSocketDisconnect(1006, "The application returned without closing the websocket.")
        return message

    async def receive(self) -> Message:
        message: Message = await self._from_client.receive()
        if message["type"] == "websocket.disconnect":
            self._noticed.set()
        return message

    async def send(self, message: Message) -> None:
        if self._left:
            raise OSError("The websocket's client has left.")
        self._to_client.send_nowait(message)
        await anyio.lowlevel.checkpoint()

    async def _read_denial(self, start: Message) -> None:
        body, more = b"", True
        while more:
            message = await self.next_message()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.denial = {**start, "body": body}


class Lifespan(Conversation):
    """The application's startup on entering and its shutdown on leaving; raises what either of them raised."""

    def __init__(self, app: ASGIApp, state: dict[str, Any]) -> None:
        super().__init__(app, {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state})
        self._to_app, from_server = self._channel()
        self._to_server, self._from_app = self._channel()
        self.receive, self.send = from_server.receive, self._to_server.send

    async def open(self) -> None:
        await self._pass("startup")

    async def close(self) -> bool:
        await self._pass("shutdown")
        await self.returned.wait()
        self.raise_error()
        return False

    def end(self) -> None:
        self._to_server.close()

    async def _pass(self, phase: str) -> None:
        self._to_app.send_nowait({"type": f"lifespan.{phase}"})
        message: Message | None = await anext(self._from_app, None)
        # An application that returned without an answer has no lifespan; one that failed has an error.
        self.raise_error()
        if message is not None and message["type"] != f"lifespan.{phase}.complete":
            await self.returned.wait()
            self.raise_error()
            raise RuntimeError(f"The application's {phase} failed: {message.get('message', '')}")
