"""One request and its response: the scope, `receive` and `send` that the application is called with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from core._server.wire import CHUNKED, HEADER_LINES, STATUS_LINES

if TYPE_CHECKING:
    from core._server.connection import Connection

Message = MutableMapping[str, Any]
Application = Callable[..., Awaitable[Any]]

# Bytes of a request's body that are kept for an application that does not read them, before reading from the socket stops.
BUFFERED_BODY = 64 * 1024
# Bodies up to this are written together with the head: copying them costs less than a second piece to write. Larger ones are not.
JOINED_BODY = 128 * 1024
# How much of a stream is kept for one write, of what is ready in the same turn of the loop.
KEPT_PARTS = 32 * 1024

# Statuses whose responses have no body (RFC 9110, section 6.4.1).
BODILESS = {*range(100, 200), 204, 304}
PLAIN_TEXT = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]

error_log = logging.getLogger("uvicorn.error")
access_log = logging.getLogger("uvicorn.access")


class Exchange:
    """A request that is being read, answered, or both."""

    # All in the instance, and in groups: Python finds there what it looks for in a tenth of the time that a class takes.
    def __init__(self, connection: Connection, scope: dict[str, Any]) -> None:
        self.connection = connection
        self.scope = scope
        self.task: asyncio.Task[None] | None = None
        self.keep_alive = True
        self.disconnected = False
        # The request's body; `counted` is what had been received when its time began anew.
        self._parts: list[bytes] = []
        self.more_body = True
        self.expects_continue = self.last_delivered = False
        self.received = self.buffered = self.counted = 0
        # The response: `started` when the application has begun it, `committed` when its framing is decided.
        self.status = self.unwritten_size = 0
        self.started = self.committed = self.complete = self.chunked = self.is_bodiless = False
        self.remaining: int | None = None
        self._unwritten: list[bytes]

    async def run(self, application: Application) -> None:
        """Call the application, and answer for it where it fails."""
        try:
            result: object = await application(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.complete:
                self.connection.abandon(self)
            raise
        except BaseException as error:
            error_log.error("Exception in ASGI application\n", exc_info=error)
            await self._fail()
        else:
            if result is not None:
                error_log.error("ASGI callable should return None, but returned '%s'.", result)
            if not (self.complete or self.disconnected):
                missed = "completing" if self.started else "starting"
                error_log.error("ASGI callable returned without %s response.", missed)
                await self._fail()
        finally:
            self.connection.server_state.tasks.discard(self.task)

    async def _fail(self) -> None:
        """A plain 500 if nothing was written yet, else a visibly cut response; a complete one is left alone."""
        if self.complete:
            return
        if self.disconnected or self.committed:
            self.connection.abandon(self)
            return
        self.started, self.remaining, self.chunked = False, None, False
        await answer_plainly(self.send, 500, b"Internal Server Error")

    # What the connection tells.

    def feed(self, body: bytes) -> None:
        """Take a part of the request's body."""
        self._parts.append(body)
        self.received += len(body)
        self.buffered += len(body)

    def disconnect(self) -> None:
        self.disconnected = True
        self.connection.wake()
        for function in tuple(self.connection.told_of_leaving):
            function()

    # What the application calls.

    async def receive(self) -> Message:
        """The next part of the body; after the last one, and after the response, the disconnect."""
        if self.expects_continue:
            self.expects_continue = False
            if not (self.started or self.disconnected):
                self.connection.continue_body(self)
        while self.complete or self.last_delivered or (self.more_body and not self._parts):
            if self.complete or self.disconnected:
                return {"type": "http.disconnect"}
            await self.connection.changed()
        body, self._parts = b"".join(self._parts), []
        if self.buffered > BUFFERED_BODY:
            self.connection.resume_body(self)
        self.buffered = 0
        self.last_delivered = not self.more_body
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Message) -> None:
        """Take a part of the response. Waits while the client reads more slowly than the application writes."""
        while self.connection.is_writing_paused and not self.disconnected:
            await self.connection.changed()
        if self.disconnected:
            return
        kind = message["type"]
        if self.complete:
            raise RuntimeError(f"Unexpected ASGI message '{kind}' sent, after response already completed.")
        expected = "http.response.body" if self.started else "http.response.start"
        if kind != expected:
            raise RuntimeError(f"Expected ASGI message '{expected}', but got '{kind}'.")
        if self.started:
            body = message.get("body", b"")
            self._send_body(body if type(body) is bytes else bytes(body), message.get("more_body", False))
        else:
            self._start(message)

    def _start(self, message: Message) -> None:
        """Prepare the head. It is written with the first part of the body, which ASGI has it wait for anyway."""
        self.status = status = message["status"]
        self.is_bodiless = status in BODILESS or self.scope["method"] == "HEAD"
        lines = [STATUS_LINES[status], self.connection.default_lines()]
        length = b""
        for header in message.get("headers", ()):
            line, meaning = HEADER_LINES[header if type(header) is tuple else tuple(header)]
            if meaning is None:
                lines.append(line)
            elif meaning >= 0:
                self.remaining, length = meaning, line
            elif meaning == CHUNKED:
                self.chunked = True
            else:
                self.keep_alive = False
        if self.chunked:
            self.remaining = None
        elif length and (status == 304 or status not in BODILESS):
            lines.append(length)
        if self.expects_continue or not self.keep_alive:
            # A client that was never told to go on may or may not send its body: what follows could be either.
            self.keep_alive = False
            lines.append(b"connection: close\r\n")
        self._unwritten = lines
        self.started = True

    def _send_body(self, body: bytes, more: bool) -> None:
        if self.is_bodiless:
            body = b""
        elif self.remaining is not None:
            self.remaining -= len(body)
            if self.remaining < 0 or (self.remaining and not more):
                difference = "shorter" if self.remaining > 0 else "longer"
                raise RuntimeError(f"Response content {difference} than Content-Length")
        if not self.committed:
            self._commit(len(body), more)
        if self.chunked:
            body = chunk_of(body, more)
        if len(body) > JOINED_BODY:
            self.flush()
            self.connection.transport.write(body)
        else:
            self._unwritten.append(body)
        if more:
            self._flush_soon(len(body))
        else:
            self.flush()
            self.complete = True
            self.connection.finish(self)

    def _commit(self, size: int, more: bool) -> None:
        """End the head with the framing, by what is known at the first part of the body (RFC 9112, section 6)."""
        self.committed = True
        lines = self._unwritten
        if self.is_bodiless:
            self.chunked = False
        elif self.remaining is None:
            # A client of HTTP/1.0 knows no chunks: its connection's end is the body's.
            self.chunked = (more or self.chunked) and self.scope["http_version"] != "1.0"
            if self.chunked:
                lines.append(b"transfer-encoding: chunked\r\n")
            elif not more:
                lines.append(b"content-length: %d\r\n" % size)
        lines.append(b"\r\n")
        if self.connection.logs_access:
            self._log()

    def _log(self) -> None:
        scope, client = self.scope, self.scope["client"]
        target = b"?".join(filter(None, (scope["raw_path"], scope["query_string"]))).decode("ascii")
        address = f"{client[0]}:{client[1]}" if client else ""
        access_log.info('%s - "%s %s HTTP/%s" %d', address, scope["method"], target, scope["http_version"], self.status)

    def _flush_soon(self, size: int) -> None:
        """Keep parts that are ready in the same turn of the loop for one write. What grows large is not kept."""
        if not self.unwritten_size:
            self.connection.loop.call_soon(self.flush)
        self.unwritten_size += size
        if self.unwritten_size > KEPT_PARTS:
            self.flush()

    def flush(self) -> None:
        """Write what was kept."""
        self.unwritten_size = 0
        if self.committed and self._unwritten and not self.disconnected:
            self.connection.transport.write(b"".join(self._unwritten))
            self._unwritten = []


def chunk_of(body: bytes, more: bool) -> bytes:
    """A chunk, and after the last one the end of the body (RFC 9112, section 7.1). An empty chunk would end it."""
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return chunk if more else chunk + b"0\r\n\r\n"


async def answer_plainly(send: Callable[[Message], Awaitable[None]], status: int, text: bytes) -> None:
    """The last response of a connection."""
    await send({"type": "http.response.start", "status": status, "headers": PLAIN_TEXT})
    await send({"type": "http.response.body", "body": text})
