"""One client's connection: parsing what arrives, in order and within its limits, and when it ends."""

from __future__ import annotations

import asyncio
import contextvars
import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from core._server.exchange import BUFFERED_BODY, Application, Exchange, access_log, answer_plainly, error_log
from core._server.limits import Limits
from core._server.wire import REQUEST_LINE, Refused, origin_form, refusal, require_host

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

NEVER = math.inf
# How long a new connection has for its first request when the server ends, seconds.
FIRST_REQUEST_SECONDS = 0.25
# A head larger than this is parsed each time.
KNOWN_HEAD = 4096


# A head that the parser has accepted: everything after its request line, the size of that and of the body, the headers.
KnownHead = tuple[bytes, int, list[tuple[bytes, bytes]]]
NO_HEAD: KnownHead = (b"", -1, [])


class Connection(asyncio.Protocol):
    """An HTTP/1.1 connection. uvicorn makes one for each client and calls it as asyncio calls protocols.

    `current` is the request that is being read, `active` the one that is being answered; requests that a client sends
    ahead wait in `waiting`. One timer serves all deadlines: it looks at its firing which one is next.
    """

    limits: ClassVar[Limits] = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        # At most thirty in all: what has more attributes keeps them in a dict, where Python needs longer to find them.
        self.config = config
        self.server_state = server_state
        self.loop = _loop or asyncio.get_event_loop()
        self.raw_root_path = config.root_path.encode("ascii")
        self.logs_access = config.access_log and access_log.hasHandlers()
        self.parser: Any = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.scope: dict[str, Any] = {"state": app_state}
        # The message that is being parsed.
        self.headers: list[tuple[bytes, bytes]] = []
        self.target = b""
        self.is_in_message = False
        self.unsettled = self.arrived = 0
        self.known = NO_HEAD
        # The order of answers.
        self.current: Exchange | None = None
        self.active: Exchange | None = None
        self.waiting: deque[Exchange] = deque()
        self.last_words = b""
        self.is_ending = self.is_asked_to_end = False
        # Deadlines, in the loop's time.
        self.timer: asyncio.TimerHandle | None = None
        self.timer_at = self.read_by = self.write_by = NEVER
        self.is_body_paused = self.is_writing_paused = False
        self.waiters: list[asyncio.Future[None]] = []
        self.told_of_leaving: set[Callable[[], object]] = set()
        self._default: tuple[object, bytes] = None, b""

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.server_state.connections.add(self)  # type: ignore[arg-type]  # uvicorn's own classes are meant, and not asked for.
        self.scope |= scope_of(self)
        self._read_until(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server_state.connections.discard(self)
        self._stop_timer()
        self.is_ending = True
        for exchange in (self.active, self.current, *self.waiting):
            if exchange is not None and not exchange.complete:
                exchange.disconnect()
        self.waiting.clear()
        self.resume_writing()

    def eof_received(self) -> None:
        """A client that closed its side is gone: returning None closes ours."""

    def data_received(self, data: bytes) -> None:
        # Without a parser the connection only waits to be closed: what a refused client still sends is thrown away.
        if self.parser is None or self._repeats(data):
            return
        is_first = not self.is_in_message
        self.arrived = len(data)
        self.unsettled += self.arrived
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._after_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(refused_by(error))
        else:
            if self.is_in_message:
                self._bound_message()
            elif is_first:
                self._remember(data)

    def _repeats(self, data: bytes) -> bool:
        """Begin the exchange if only the request line differs from what the parser has accepted before."""
        lines, size, headers = self.known
        at = data.find(b"\r\n")
        if len(data) - at != size or not data.startswith(lines, at) or self.active is not None or self.is_in_message:
            return False
        line = REQUEST_LINE.fullmatch(data, 0, at)
        if line is None or at > self.limits.target_bytes:
            return False
        self.read_by = NEVER
        method, path, query = line.groups(b"")
        self.current = exchange = self._exchange(method.decode(), path, query, headers[:])
        if size > len(lines):
            exchange.feed(data[at + len(lines) :])
        exchange.more_body = False
        self._start(exchange)
        return True

    def _remember(self, data: bytes) -> None:
        """Keep the head of a whole message, which is what the next one most probably has too.

        Clients repeat their headers on a connection. Nothing of it outlives the connection, or is known to another one.
        """
        exchange, end = self.current, data.find(b"\r\n\r\n") + 4
        if exchange is None or not exchange.keep_alive or exchange.expects_continue or not end < KNOWN_HEAD:
            return
        at = data.find(b"\r\n")
        if exchange.received == len(data) - end <= BUFFERED_BODY and REQUEST_LINE.fullmatch(data, 0, at):
            self.known = data[at:end], len(data) - at, exchange.scope["headers"][:]

    def pause_writing(self) -> None:
        self.is_writing_paused = True
        self._write_in_time()

    def resume_writing(self) -> None:
        self.is_writing_paused = False
        self.write_by = NEVER
        self.wake()

    async def changed(self) -> None:
        """Wait until something happens that a task on this connection may wait for: it looks again whether it was that."""
        waiter = self.loop.create_future()
        self.waiters.append(waiter)
        await waiter

    def wake(self) -> None:
        """Let everyone look again, except those whose task was cancelled meanwhile."""
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    # uvicorn's side.

    def shutdown(self) -> None:
        """End as soon as what was asked is answered; the answer says so."""
        self.waiting.clear()
        self.is_asked_to_end = True
        self.wake()
        if self.active is not None and not self.active.complete:
            self.active.keep_alive = False
        elif self.current is None and not self.is_in_message:
            # Whoever has just connected did it to ask something, and what it asks may be on its way.
            self._read_until(FIRST_REQUEST_SECONDS)
        elif not self.is_in_message or self.current is not None:
            self._close()

    async def ending_asked(self) -> None:
        """Wait until the server wants to end. Responses that would never end by themselves do so then (core.sse)."""
        while not self.is_asked_to_end:
            await self.changed()

    @contextmanager
    def calling_when_gone(self, function: Callable[[], object]) -> Iterator[None]:
        """Call it when the client leaves, which it may have done, unless that is after the end of the block."""
        self.told_of_leaving.add(function)
        try:
            if self.is_ending:
                function()
            yield
        finally:
            self.told_of_leaving.discard(function)

    # The parser's side.

    def on_message_begin(self) -> None:
        self.is_in_message = True
        self.headers = []
        self.target = b""
        self.current = None
        self.read_by = NEVER

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Raises Refused, which the parser wraps."""
        parser, headers = self.parser, self.headers
        self._bound_head()
        named = dict(headers)
        version = parser.get_http_version()
        host = self._require_host(version, named)
        self._require_framing(version, named)
        method = parser.get_method().decode("ascii")
        target = origin_form(method, self.target, host)
        if parser.should_upgrade() and self._is_websocket(named):
            return
        # Trailers are no headers: who reads these has not looked at those.
        self.headers = []
        path, _, query = target.partition(b"?")
        self.current = exchange = self._exchange(method, path, query, headers)
        if version == "1.0":
            exchange.scope["http_version"] = version
        exchange.keep_alive = version == "1.1" and parser.should_keep_alive()
        exchange.expects_continue = b"expect" in named and named[b"expect"].lower() == b"100-continue"
        if self.active is None:
            self._start(exchange)
        else:
            self.waiting.append(exchange)
            if len(self.waiting) == 1:
                self.transport.pause_reading()

    def on_body(self, body: bytes) -> None:
        self.unsettled = 0
        exchange = self.current
        if exchange is None or exchange.complete:
            return
        exchange.feed(body)
        if exchange.received > self.limits.body_bytes:
            raise Refused(413, "The request body is too large.")
        if self.waiters:
            self.wake()
        if exchange.buffered > BUFFERED_BODY and not self.is_body_paused:
            # Stop reading for an application that does not; its slowness is not the client's.
            self.transport.pause_reading()
            self.is_body_paused, self.read_by = True, NEVER

    def on_message_complete(self) -> None:
        self.is_in_message = False
        self.unsettled = 0
        self.read_by = NEVER
        exchange = self.current
        if exchange is None:
            return
        if len(self.headers) > self.limits.header_count:
            raise Refused(431, "The request has too many trailers.")
        exchange.more_body = False
        if self.waiters:
            self.wake()
        if exchange.complete and exchange is self.active:
            self._next()

    # A request's beginning.

    def _exchange(self, method: str, raw_path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]) -> Exchange:
        scope = self.scope.copy()
        path = raw_path.decode("ascii")
        scope["method"] = method
        scope["path"] = scope["root_path"] + (unquote(path) if "%" in path else path)
        scope["raw_path"] = self.raw_root_path + raw_path
        scope["query_string"] = query
        scope["headers"] = headers
        scope["state"] = scope["state"].copy()
        return Exchange(self, scope)

    def _bound_head(self) -> None:
        limits = self.limits
        if len(self.target) > limits.target_bytes:
            raise Refused(414, "The request target is too long.")
        if len(self.headers) > limits.header_count:
            raise Refused(431, "The request has too many headers.")
        # Only a large read can hold a head above the limit: counting every header of every request would be a waste.
        if self.unsettled + self.arrived > limits.head_bytes:
            size = len(self.target) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > limits.head_bytes:
                raise Refused(431, "The request headers are too large.")
        self.unsettled = 0

    def _require_host(self, version: str, named: dict[bytes, bytes]) -> bytes | None:
        host = named.get(b"host")
        if host is not None:
            require_host(host)
        elif version != "1.0":
            raise Refused(400, "The Host header is missing.")
        if len(named) != len(self.headers) and sum(name == b"host" for name, _ in self.headers) > 1:
            raise Refused(400, "There is more than one Host header.")
        return host

    def _require_framing(self, version: str, named: dict[bytes, bytes]) -> None:
        """What the parser lets through, and intermediaries read differently (RFC 9112, section 6)."""
        if version not in ("1.1", "1.0"):
            raise Refused(505, "This version of HTTP is not supported.")
        encoding = named.get(b"transfer-encoding")
        if encoding is not None and (encoding.lower() != b"chunked" or version == "1.0"):
            raise Refused(400, "The Transfer-Encoding is not supported.")
        length = named.get(b"content-length")
        if length is not None and int(length) > self.limits.body_bytes:
            raise Refused(413, "The request body is too large.")

    def _start(self, exchange: Exchange) -> None:
        self.active = exchange
        if self.is_asked_to_end:
            exchange.keep_alive = False
        config, state = self.config, self.server_state
        limit = config.limit_concurrency
        application: Application = config.loaded_app
        if limit is not None and (len(state.connections) >= limit or len(state.tasks) >= limit):
            error_log.warning("Exceeded concurrency limit.")
            application = service_unavailable
        context = contextvars.Context() if config.reset_contextvars else None
        exchange.task = self.loop.create_task(exchange.run(application), context=context)
        state.tasks.add(exchange.task)

    def _is_websocket(self, named: dict[bytes, bytes]) -> bool:
        if self.active is None and named[b"upgrade"].lower() == b"websocket" and self.config.ws_protocol_class:
            return True
        error_log.warning("Unsupported upgrade request.")
        return False

    def _after_upgrade(self, rest: bytes) -> None:
        """The parser stops at an upgrade. Go on with HTTP where an exchange was made of it, else hand the connection over."""
        if self.current is not None:
            self.parser = httptools.HttpRequestParser(self)
            if rest:
                self.data_received(rest)
        elif rest:
            # A client has to wait for the handshake's answer (RFC 6455, section 4.1): what it sent ahead is no frame.
            self._refuse(Refused(400, "Data follows the upgrade request."))
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the connection to uvicorn's websocket protocol, with the request as it came."""
        self._stop_timer()
        self.server_state.connections.discard(self)
        assert self.config.ws_protocol_class is not None
        protocol = self.config.ws_protocol_class(  # type: ignore[call-arg]  # a class of uvicorn's, typed as any Protocol
            config=self.config, server_state=self.server_state, app_state=self.scope["state"]
        )
        lines = [b"GET " + self.target + b" HTTP/1.1\r\n"]
        lines += [name + b": " + value + b"\r\n" for name, value in self.headers]
        protocol.connection_made(self.transport)
        protocol.data_received(b"".join((*lines, b"\r\n")))
        self.transport.set_protocol(protocol)

    # A request's body.

    def _bound_message(self) -> None:
        """After a read that ended inside a message: is it growing without an end, and until when may it take?"""
        if self.unsettled > self.limits.head_bytes:
            too_long = self.current is None and not self.headers and len(self.target) > self.limits.target_bytes
            status, part = (414, "target is") if too_long else (431, "headers are")
            self._refuse(Refused(status, f"The request {part} too large."))
        elif self.read_by == NEVER and not self.is_body_paused:
            self._begin_reading()

    def _begin_reading(self) -> None:
        """Give the rest of a head or body its time."""
        if self.current is None:
            self._read_until(self.limits.head_seconds)
        elif not self.current.expects_continue:
            self._read_until(self.limits.body_seconds)

    def resume_body(self, exchange: Exchange) -> None:
        """The application has taken what was kept for it, or never will."""
        if self.is_body_paused and exchange is self.current and not self.is_ending:
            self.is_body_paused = False
            self.transport.resume_reading()
            if exchange.more_body:
                exchange.counted = exchange.received
                self._begin_reading()

    def continue_body(self, exchange: Exchange) -> None:
        """Tell a client that waits for it to send its body (RFC 9110, section 10.1.1)."""
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if exchange.more_body:
            self._begin_reading()

    # A response's end.

    def finish(self, exchange: Exchange) -> None:
        """The response is complete; what its task still does keeps no one waiting."""
        self.server_state.total_requests += 1
        if self.waiters:
            self.wake()
        if self.is_body_paused:
            self.resume_body(exchange)
        if not exchange.keep_alive:
            self._end(has_unread=exchange.more_body)
        elif exchange.more_body:
            # The rest of a body that nobody wants has to be read before the next request, but not for long.
            self._read_until(self.limits.linger_seconds)
        else:
            self._next()

    def _next(self) -> None:
        """Answer the next request, or wait for it."""
        self.active = None
        if self.waiting:
            exchange = self.waiting.popleft()
            if not self.waiting and not self.last_words and not self.is_body_paused:
                self.transport.resume_reading()
            self._start(exchange)
        elif self.last_words:
            self.transport.write(self.last_words)
            self._end(has_unread=True)
        elif self.is_in_message:
            self._read_until(self.limits.head_seconds)
        else:
            self._read_until(self.config.timeout_keep_alive)

    def abandon(self, exchange: Exchange) -> None:
        """Cut a response that cannot be completed, so that the client does not take it for whole."""
        exchange.flush()
        exchange.disconnect()
        self._close()

    # Refusals and the end.

    def _refuse(self, refused: Refused) -> None:
        """Answer for the application, after the answers that are still due, and end."""
        error_log.warning(refused.reason if refused.status == 400 else f"{refused.reason} ({refused.status})")
        words = refusal(refused.status, refused.reason, self.default_lines())
        exchange, self.parser = self.current, None
        if exchange is not None and exchange is self.active and exchange.more_body and not exchange.complete:
            exchange.disconnect()
            self._end(has_unread=True, words=b"" if exchange.committed else words)
        elif self.active is not None and not self.active.complete:
            if exchange is not None and exchange.more_body and exchange in self.waiting:
                self.waiting.remove(exchange)
            self.last_words = words
            self.read_by = NEVER
            self.transport.pause_reading()
        else:
            self._end(has_unread=True, words=words)

    def _end(self, *, has_unread: bool, words: bytes = b"") -> None:
        """Close; a client that is still sending gets a moment, or its system would throw our answer away."""
        self.is_ending = True
        if words:
            self.transport.write(words)
        if not has_unread:
            self._close()
            return
        self.parser, self.is_in_message = None, False
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.transport.resume_reading()
        self._read_until(self.limits.linger_seconds)

    def _close(self) -> None:
        """Close when everything is written; a client that does not read it has its time too."""
        self.is_ending = True
        self.transport.close()
        if self.transport.get_write_buffer_size() > 0:
            self.read_by = NEVER
            self._write_in_time()

    def default_lines(self) -> bytes:
        """The Date, Server and configured lines of every response. uvicorn makes a new list of them each second."""
        headers = self.server_state.default_headers
        known, lines = self._default
        if headers is not known:
            lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
            self._default = headers, lines
        return lines

    # Deadlines.

    def _read_until(self, seconds: float) -> None:
        self.read_by = self.loop.time() + seconds
        if self.read_by < self.timer_at:
            self._arm()

    def _write_in_time(self) -> None:
        self.write_by = self.loop.time() + self.limits.send_seconds
        self._arm()

    def _arm(self) -> None:
        """Have the timer fire by the next deadline. One that fires earlier is left alone: it arms itself again."""
        when = min(self.read_by, self.write_by)
        if when < self.timer_at:
            self._stop_timer()
            self.timer, self.timer_at = self.loop.call_at(when, self._look), when

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer, self.timer_at = None, NEVER

    def _look(self) -> None:
        """The timer fired: is a deadline over, or was it moved meanwhile?"""
        self._stop_timer()
        now = self.loop.time()
        if now >= self.write_by:
            self.transport.abort()
            return
        if now >= self.read_by:
            self._read_expired()
        self._arm()

    def _read_expired(self) -> None:
        self.read_by = NEVER
        exchange, limits = self.current, self.limits
        if self.is_ending or not self.is_in_message or (exchange is not None and exchange.complete):
            self._close()
        elif exchange is not None and exchange.received - exchange.counted >= limits.body_rate * limits.body_seconds:
            exchange.counted = exchange.received
            self._begin_reading()
        else:
            self._refuse(Refused(408, "The request took too long to arrive."))


def refused_by(error: httptools.HttpParserError) -> Refused:
    """Our refusal, or that of what the parser could not read. A callback that fails otherwise is our mistake, and is told."""
    if isinstance(error.__context__, Refused):
        return error.__context__
    if isinstance(error, httptools.HttpParserCallbackError):
        error_log.error("Exception in the HTTP protocol", exc_info=error)
    return Refused(400, "Invalid HTTP request received.")


async def service_unavailable(scope: Any, receive: Any, send: Any) -> None:
    """Answers instead of the application when `limit_concurrency` is reached."""
    await answer_plainly(send, 503, b"Service Unavailable")


def scope_of(connection: Connection) -> dict[str, Any]:
    """What the scopes of a connection's requests begin as: copying it is cheaper than adding to it."""
    transport, config = connection.transport, connection.config
    return {
        "type": "http",
        "asgi": {"version": config.asgi_version, "spec_version": "2.3"},
        "http_version": "1.1",
        "server": get_local_addr(transport),
        "client": get_remote_addr(transport),
        "scheme": "https" if is_ssl(transport) else "http",
        "root_path": config.root_path,
        "extensions": {
            "core.shutdown": {"wait": connection.ending_asked},
            "core.disconnect": {"calling": connection.calling_when_gone},
        },
        **dict.fromkeys(("method", "path", "raw_path", "query_string", "headers")),
    }
