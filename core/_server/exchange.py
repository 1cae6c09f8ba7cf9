"""One request and its response: the scope, `receive` and `send` that the application is called with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from core._server.wire import ENCODING, LENGTH, PLAIN, STATUS_LINES, HeaderLines

if TYPE_CHECKING:
    from core._server.connection import Connection

Message = MutableMapping[str, Any]
Application = Callable[..., Awaitable[Any]]

# Bytes of a request's body that are kept for an application that does not read them, before reading from the socket stops.
BUFFERED_BODY = 64 * 1024
# Bodies above this are written on their own: joining would copy them.
JOINED_BODY = 32 * 1024

FAILURE_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
HEADER_LINES = HeaderLines()

error_log = logging.getLogger("uvicorn.error")
access_log = logging.getLogger("uvicorn.access")


class Exchange:
    """A request that is being read, answered, or both."""

    # What most exchanges never change is left to the class: making an exchange is on the path of every request.
    task: asyncio.Task[None] | None = None
    disconnected = False
    # The request's body.
    buffered = 0
    received = 0
    more_body = True
    last_delivered = False
    # The response.
    status = 0
    head = b""
    started = False
    complete = False
    chunked = False
    is_bodiless = False
    remaining: int | None = None
    unwritten = 0

    def __init__(self, connection: Connection, scope: dict[str, Any], keep_alive: bool, expects_continue: bool) -> None:
        self.connection = connection
        self.scope = scope
        self.keep_alive = keep_alive
        self.expects_continue = expects_continue
        self._parts: list[bytes] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._unwritten: list[bytes] = []

    async def run(self, application: Application) -> None:
        """Call the application, and answer for it where it fails."""
        try:
            result: object = await application(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            self.connection.abandon(self)
            raise
        except BaseException as error:
            error_log.error("Exception in ASGI application\n", exc_info=error)
            await self._fail()
        else:
            if result is not None or not self.complete:
                await self._conclude(result)
        finally:
            self.connection.tasks.discard(self.task)

    async def _conclude(self, result: object) -> None:
        if result is not None:
            error_log.error("ASGI callable should return None, but returned '%s'.", result)
        if self.disconnected or self.complete:
            return
        if not self.started:
            error_log.error("ASGI callable returned without starting response.")
            await self._fail()
        else:
            error_log.error("ASGI callable returned without completing response.")
            self.connection.abandon(self)

    async def _fail(self) -> None:
        """A plain 500 if nothing was written yet, else a visibly cut response; a complete one is left alone."""
        if self.complete:
            return
        if self.disconnected or (self.started and not self.head):
            self.connection.abandon(self)
            return
        self.started, self.head, self.remaining, self.chunked = False, b"", None, False
        await self.send({"type": "http.response.start", "status": 500, "headers": FAILURE_HEADERS})
        await self.send({"type": "http.response.body", "body": b"Internal Server Error"})

    # What the connection tells.

    def feed(self, body: bytes) -> None:
        """Take a part of the request's body."""
        self._parts.append(body)
        self.buffered += len(body)
        if self._waiters:
            self.wake()

    def end(self) -> None:
        """Nothing more of the request will come."""
        self.more_body = False
        if self._waiters:
            self.wake()

    def disconnect(self) -> None:
        self.disconnected = True
        self.wake()

    def wake(self) -> None:
        wake(self._waiters)

    # What the application calls.

    async def receive(self) -> Message:
        """The next part of the body; after the last one, and after the response, the disconnect."""
        if self.expects_continue:
            self._continue()
        while not (self.disconnected or self.complete or self._is_readable()):
            waiter = self.connection.loop.create_future()
            self._waiters.append(waiter)
            await waiter
        if self.complete or not self._is_readable():
            return {"type": "http.disconnect"}
        return self._take()

    def _is_readable(self) -> bool:
        return not self.last_delivered and (self.buffered > 0 or not self.more_body)

    def _take(self) -> Message:
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        if parts:
            parts.clear()
            self.buffered = 0
            self.connection.resume_body(self)
        self.last_delivered = not self.more_body
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def _continue(self) -> None:
        """Ask a client that waits for it to send the body (RFC 9110, section 10.1.1)."""
        self.expects_continue = False
        if not (self.started or self.disconnected):
            self.connection.continue_body(self)

    async def send(self, message: Message) -> None:
        """Take a part of the response. Waits while the client reads more slowly than the application writes."""
        connection = self.connection
        if connection.is_writing_paused and not self.disconnected:
            await connection.drained()
        if self.disconnected:
            return
        kind = message["type"]
        if self.started:
            if kind != "http.response.body" or self.complete:
                raise RuntimeError(self._unexpected(kind))
            body: bytes = message.get("body", b"")
            more: bool = message.get("more_body", False)
            self._send_body(body if type(body) is bytes else bytes(body), more)
        elif kind == "http.response.start":
            self._start(message)
        else:
            raise RuntimeError(f"Expected ASGI message 'http.response.start', but got '{kind}'.")

    def _unexpected(self, kind: str) -> str:
        if self.complete:
            return f"Unexpected ASGI message '{kind}' sent, after response already completed."
        return f"Expected ASGI message 'http.response.body', but got '{kind}'."

    def _start(self, message: Message) -> None:
        """Prepare the head. It is written with the first part of the body, which ASGI has it wait for anyway."""
        self.status = status = message["status"]
        self.is_bodiless = status < 200 or status in (204, 304) or self.scope["method"] == "HEAD"
        lines = [STATUS_LINES[status], self.connection.default_lines()]
        self._add_headers(lines, message.get("headers", ()))
        self.head = b"".join(lines)
        self.started = True

    def _add_headers(self, lines: list[bytes], headers: Any) -> None:
        """The lines of the headers, except those of the framing, which is ours to decide."""
        known = HEADER_LINES.known
        for name, value in headers:
            line, meaning = known.get((name, value)) or HEADER_LINES.add(name, value)
            if meaning == PLAIN:
                lines.append(line)
            elif meaning == LENGTH:
                self.remaining = int(value)
            elif meaning == ENCODING:
                self.chunked = True
            elif value.lower() == b"close":
                self.keep_alive = False
            else:
                lines.append(line)
        if self.remaining is not None and not self.chunked and self.status >= 200 and self.status != 204:
            lines.append(b"content-length: %d\r\n" % self.remaining)
        if self.expects_continue or not self.keep_alive:
            # A client that was never told to go on may or may not send its body: what follows could be either.
            self.keep_alive = False
            lines.append(b"connection: close\r\n")

    def _log(self) -> None:
        scope = self.scope
        target = scope["raw_path"].decode("ascii")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        client = scope["client"]
        address = f"{client[0]}:{client[1]}" if client else ""
        access_log.info('%s - "%s %s HTTP/%s" %d', address, scope["method"], target, scope["http_version"], self.status)

    def _send_body(self, body: bytes, more: bool) -> None:
        if self.is_bodiless:
            body = b""
        elif self.remaining is not None and not self.chunked:
            self._count(len(body), more)
        if self.head:
            self._send_first(body, more)
        elif self.chunked and not self.is_bodiless:
            self._send_chunk(b"", body, more)
        elif body:
            self._write_soon(body)
        if not more:
            self.flush()
            self.complete = True
            if self._waiters:
                self.wake()
            self.connection.finish(self)

    def _count(self, size: int, more: bool) -> None:
        assert self.remaining is not None
        if size > self.remaining:
            raise RuntimeError("Response content longer than Content-Length")
        self.remaining -= size
        if not more and self.remaining:
            raise RuntimeError("Response content shorter than Content-Length")

    def _send_first(self, body: bytes, more: bool) -> None:
        """The head, its framing decided by what is known now, together with the first bytes of the body."""
        head, self.head = self.head, b""
        if self.connection.logs_access:
            self._log()
        if self.is_bodiless or (self.remaining is not None and not self.chunked):
            self._write(head + b"\r\n", body)
        elif not more and not self.chunked:
            self._write(b"%bcontent-length: %d\r\n\r\n" % (head, len(body)), body)
        elif self.scope["http_version"] == "1.0":
            self.chunked, self.keep_alive = False, False
            self._write(head + b"\r\n", body)
        else:
            self.chunked = True
            self._send_chunk(head + b"transfer-encoding: chunked\r\n\r\n", body, more)

    def _send_chunk(self, head: bytes, body: bytes, more: bool) -> None:
        """A chunk, and after the last one the end of the body (RFC 9112, section 7.1). An empty chunk would end it."""
        framed = b"%b%x\r\n%b\r\n" % (head, len(body), body) if body else head
        if more:
            self._write_soon(framed)
        else:
            self._unwritten.append(framed + b"0\r\n\r\n")
            self.flush()

    def _write_soon(self, part: bytes) -> None:
        """Keep parts that are ready in the same turn of the loop for one write. What grows large is not kept."""
        if not self._unwritten:
            self.connection.loop.call_soon(self.flush)
        self._unwritten.append(part)
        self.unwritten += len(part)
        if self.unwritten > JOINED_BODY:
            self.flush()

    def flush(self) -> None:
        """Write what was kept."""
        if self._unwritten and not self.disconnected:
            self.connection.transport.write(b"".join(self._unwritten))
            self._unwritten, self.unwritten = [], 0

    def _write(self, head: bytes, body: bytes) -> None:
        transport = self.connection.transport
        if len(body) > JOINED_BODY:
            transport.write(head)
            transport.write(body)
        else:
            transport.write(head + body)


def wake(waiters: list[asyncio.Future[None]]) -> None:
    """Let everyone go on who waits, except those whose task was cancelled meanwhile."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()
