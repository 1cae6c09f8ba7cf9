"""The protocol class under a real uvicorn: HTTP as it should be, and clients that do not mean well."""

import asyncio
import contextvars
import logging
import re
import ssl
from collections.abc import AsyncIterator
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

import httptools
import pytest
import uvicorn
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from core._server.wire import REMEMBERED, HeaderLines, require_host
from core.responses import StreamingResponse
from core.server import BoundedProtocol, Limits
from tests.core.serving import Client, Served, get, post, serving

# The versions that the class was proved with; a new one needs a look at what changed, and this line.
PROVED_UVICORN = "0.54."
PROVED_HTTPTOOLS = "0.9."

Scope = dict[str, Any]
BLANK = b"\r\n"


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


class Quick(BoundedProtocol):
    """Deadlines that a test can wait for."""

    limits = Limits(
        head_bytes=4096,
        header_count=20,
        target_bytes=1024,
        body_bytes=100_000,
        head_seconds=0.2,
        body_seconds=0.2,
        body_rate=10_000,
        send_seconds=0.3,
        linger_seconds=0.1,
    )


class Application:
    """Answers by path, and remembers what it was called with."""

    send: Any
    receive: Any

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.messages: list[dict[str, Any]] = []
        self.tasks: list[asyncio.Task[Any] | None] = []
        self.entered = asyncio.Event()
        self.released = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> object:
        self.scopes.append(scope)
        call = copy(self)
        call.send, call.receive = send, receive
        answer = getattr(call, scope["path"].strip("/") or "echo")
        return await answer()

    async def start(self, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def body(self, body: bytes = b"", more: bool = False) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def read(self) -> bytes:
        body = b""
        while True:
            message = await self.receive()
            self.messages.append(message)
            if message["type"] == "http.disconnect":
                return body
            body += bytes(message["body"])
            if not message["more_body"]:
                return body

    async def echo(self) -> None:
        body = await self.read()
        await self.start()
        await self.body(body)

    async def unread(self) -> None:
        await self.start()
        await self.body(b"unread")

    async def stream(self) -> None:
        await self.start()
        for part in (b"one", b"", b"two"):
            await self.body(part, more=True)
        await self.body()

    async def sized(self) -> None:
        await self.start(200, (b"content-length", b"6"))
        await self.body(b"one", more=True)
        await self.body(b"two")

    async def chunked(self) -> None:
        await self.start(200, (b"transfer-encoding", b"chunked"), (b"content-length", b"3"))
        await self.body(b"one")

    async def empty(self) -> None:
        await self.start(204)
        await self.body(b"ignored")

    async def unchanged(self) -> None:
        await self.start(304, (b"content-length", b"5"))
        await self.body()

    async def closing(self) -> None:
        await self.start(200, (b"Connection", b"close"))
        await self.body(b"bye")

    async def large(self) -> None:
        await self.start()
        await self.body(b"x" * 300_000)

    async def huge(self) -> None:
        await self.start()
        await self.body(b"x" * 50_000_000)

    async def waiting(self) -> None:
        self.entered.set()
        await self.released.wait()
        await self.echo()

    async def listening(self) -> None:
        self.entered.set()
        await self.read()
        self.messages.append(await self.receive())
        self.released.set()

    async def endless(self) -> None:
        await self.start()
        self.entered.set()
        while self.server_has_connections():
            await self.body(b"x" * 65536, more=True)
        self.released.set()

    server_has_connections: Any = staticmethod(lambda: True)

    async def racing(self) -> None:
        """Listen for the disconnect beside the response, as streaming responses do."""
        listening = asyncio.create_task(self.receive())
        await asyncio.sleep(0)
        await self.start(200, (b"Connection", b"keep-alive"))
        await self.body(b"raced")
        self.messages.append(await listening)

    async def impatient(self) -> None:
        receiving = asyncio.create_task(self.receive())
        await asyncio.sleep(0)
        receiving.cancel()
        self.entered.set()
        await self.echo()

    async def lingering(self) -> None:
        await self.start()
        await self.body(b"done")
        self.tasks.append(asyncio.current_task())
        await asyncio.Event().wait()

    async def late(self) -> None:
        await self.start()
        self.messages.append(await self.receive())
        await self.body(b"late")

    async def failing(self) -> None:
        raise LookupError("a secret of the application")

    async def failing_late(self) -> None:
        await self.start()
        await self.body(b"half", more=True)
        raise LookupError

    async def failing_afterwards(self) -> None:
        await self.start()
        await self.body(b"whole")
        raise LookupError

    async def silent(self) -> None:
        """Return without a response."""

    async def unfinished(self) -> None:
        await self.start()
        await self.body(b"half", more=True)

    async def injecting(self) -> None:
        await self.start(200, (b"x", b"a\r\nset-cookie: stolen=1"))
        await self.body(b"injected")

    async def misnaming(self) -> None:
        await self.start(200, (b"x y", b"a"))

    async def too_long(self) -> None:
        await self.start(200, (b"content-length", b"1"))
        await self.body(b"123")

    async def too_short(self) -> None:
        await self.start(200, (b"content-length", b"5"))
        await self.body(b"123", more=True)
        await self.body(b"4")

    async def body_first(self) -> None:
        await self.body(b"x")

    async def started_twice(self) -> None:
        await self.start()
        await self.start()

    async def talking_on(self) -> None:
        await self.start()
        await self.body(b"whole")
        await self.body(b"more")

    async def answering(self) -> object:
        await self.start()
        await self.body(b"whole")
        return 3


@pytest.fixture
def app() -> Application:
    return Application()


@pytest.fixture
async def served(app: Application) -> AsyncIterator[Served]:
    async with serving(app, Quick) as served:
        yield served


def test_the_versions_are_those_it_was_proved_with() -> None:
    assert uvicorn.__version__.startswith(PROVED_UVICORN)
    assert httptools.__version__.startswith(PROVED_HTTPTOOLS)


# Requests and responses


async def test_a_response_has_the_servers_headers_and_a_length(served: Served) -> None:
    answer = await served.ask(post(b"hello"))
    assert (answer.status, answer.body) == (200, b"hello")
    assert [name for name, _ in answer.headers] == ["date", "server", "content-length"]


TARGETS = [
    (b"/a%20b/%2F?x=%20y&z", b"GET"),
    (b"/caf%C3%A9/%FF?", b"POST"),
    (b"//double//", b"DELETE"),
    (b"*", b"OPTIONS"),
    (b"http://localhost/absolute?x", b"GET"),
]


@pytest.mark.parametrize("root_path", ["", "/mounted"])
async def test_scopes_are_those_that_uvicorn_makes(root_path: str) -> None:
    scopes: list[Scope] = []

    async def remember(scope: Scope, receive: Any, send: Any) -> None:
        scopes.append(scope | {"client": scope["client"][0], "server": scope["server"][0]})
        scopes[-1].pop("extensions", None)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    for http in ("httptools", BoundedProtocol):
        async with serving(remember, http, root_path=root_path) as served:
            for target, method in TARGETS:
                await served.ask(get(target, b"X-One: 1", b"x-one:  two ", method=method))
                await served.ask(get(target, b"Cookie: a", method=method, version=b"1.0"))
    assert len(scopes) == 4 * len(TARGETS)
    assert scopes[: 2 * len(TARGETS)] == scopes[2 * len(TARGETS) :]


class Parsing(BoundedProtocol):
    """Counts what the parser is asked to read."""

    targets: ClassVar[list[bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.targets.append(url)
        super().on_url(url)


REPEATED = [
    (get(b"/", b"Cookie: a=1"), get(b"/%65cho?x=%20", b"Cookie: a=1")),
    (get(b"/", b"X: 1"), get(b"/", b"X: 1", method=b"DELETE")),
    (post(b"one"), post(b"two")),
    (post(b""), get(b"/", b"Content-Length: 0", method=b"PUT")),
]
NOT_REPEATED = [
    (get(b"/"), get(b"/", b"X: 1")),
    (get(b"/"), get(b"http://localhost/")),
    (get(b"/", method=b"OPTIONS"), get(b"*", method=b"OPTIONS")),
    (post(b"one"), post(b"four")),
    (post(b"x" * 70_000), post(b"y" * 70_000)),
    (get(b"/", b"X: " + b"x" * 5000), get(b"/", b"X: " + b"x" * 5000)),
    (b"\r\n" + get(b"/"), b"\r\n" + get(b"/")),
    (get(b"/", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",) * 2,
]


@pytest.mark.parametrize(("first", "second"), REPEATED + NOT_REPEATED)
async def test_a_repeated_head_gives_what_parsing_it_gives(app: Application, first: bytes, second: bytes) -> None:
    Parsing.targets.clear()
    async with serving(app, Parsing) as served:
        alone = await served.ask(second)
        client = await served.connect()
        for request in (first, second):
            client.say(request)
            answer = await client.answer()
    assert (answer.status, answer.body) == (alone.status, alone.body)
    assert app.scopes[2] | {"client": 0, "extensions": 0} == app.scopes[0] | {"client": 0, "extensions": 0}
    assert app.scopes[2]["headers"] is not app.scopes[1]["headers"]
    assert len(Parsing.targets) == (2 if (first, second) in REPEATED else 3)


@pytest.mark.parametrize("line", [b"GET /#a HTTP/1.1", b"GET /a b HTTP/1.1", b"GET /\xff HTTP/1.1", b"get / HTTP/1.1"])
@pytest.mark.requirement("SMG-1")
async def test_smg_1_a_repeated_head_does_not_excuse_a_bad_first_line(served: Served, line: bytes) -> None:
    client = await served.connect()
    client.say(get(b"/"))
    assert (await client.answer()).status == 200
    client.say(line, get(b"/").removeprefix(b"GET / HTTP/1.1"))
    assert (await client.answer()).status == 400


async def test_limits_hold_for_a_repeated_head(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/"), get(b"/"))
    assert [(await client.answer()).status for _ in range(2)] == [200, 200]
    client.say(get(b"/" + b"a" * 1024))
    assert (await client.answer()).status == 414


@pytest.mark.requirement("SMG-1")
async def test_smg_1_trailers_do_not_become_headers(served: Served, app: Application) -> None:
    await served.ask(CHUNKED, b"0\r\nX-Role: admin\r\n\r\n")
    assert [name for name, _ in app.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


async def test_an_absolute_target_without_a_path_is_the_root(served: Served, app: Application) -> None:
    await served.ask(get(b"http://localhost"))
    assert app.scopes[0]["path"] == "/"


async def test_connections_are_kept_and_used_again(served: Served) -> None:
    client = await served.connect()
    for number in range(5):
        client.say(post(b"%d" % number))
        assert (await client.answer()).body == b"%d" % number
    assert len(served.server.server_state.connections) == 1


async def test_what_a_request_touches_has_few_enough_attributes_to_be_found_quickly(served: Served) -> None:
    client = await served.connect()
    client.say(get())
    await client.answer()
    [connection] = connections_of(served)
    # Python keeps the values of objects with more than thirty attributes in a dict (from 3.11 on).
    assert max(len(vars(connection)), len(vars(connection.current))) <= 30


async def test_pipelined_requests_are_answered_in_order(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(get(b"/waiting"), post(b"2"), get(b"/stream"), get(b"/large"), get(b"/closing"), get(b"/never"))
    await app.entered.wait()
    app.released.set()
    bodies = [(await client.answer()).body for _ in range(5)]
    assert bodies == [b"", b"2", b"onetwo", b"x" * 300_000, b"bye"]
    assert await client.rest() == b""
    assert len(app.scopes) == 5


async def test_a_request_in_many_small_pieces_is_one_request(served: Served) -> None:
    client = await served.connect()
    for byte in (
        get(b"/", b"Transfer-Encoding: chunked", method=b"POST") + b"3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nX: 1\r\n\r\n"
    ):
        client.say(bytes([byte]))
        await client.writer.drain()
    assert (await client.answer()).body == b"abcde"


async def test_streams_are_chunked_and_whole_bodies_have_a_length(served: Served) -> None:
    streamed = await served.ask(get(b"/stream"))
    assert (streamed.header("transfer-encoding"), streamed.body) == ("chunked", b"onetwo")
    assert (await served.ask(get(b"/chunked"))).body == b"one"
    assert (await served.ask(get(b"/sized"))).header("content-length") == "6"


async def test_a_stream_for_http_1_0_ends_with_the_connection(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/stream", version=b"1.0"))
    answer = await client.answer()
    assert (answer.header("transfer-encoding"), answer.header("connection"), answer.body) == (None, "close", b"onetwo")


@pytest.mark.parametrize("path", [b"/large", b"/stream", b"/empty", b"/unchanged", b"/sized"])
async def test_a_response_without_a_body_has_none(served: Served, path: bytes) -> None:
    client = await served.connect()
    method = b"GET" if path in (b"/empty", b"/unchanged") else b"HEAD"
    client.say(get(path, method=method), post(b"next"))
    await client.answer(method="HEAD")
    assert (await client.answer()).body == b"next"


async def test_a_client_that_expects_it_is_told_to_continue(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/", b"Content-Length: 3", b"Expect: 100-continue", method=b"POST"))
    assert (await client.answer()).status == 100
    client.say(b"abc")
    assert (await client.answer()).body == b"abc"


async def test_a_client_that_was_not_told_to_continue_is_closed(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/unread", b"Content-Length: 3", b"Expect: 100-continue", method=b"POST"))
    assert (await client.answer()).header("connection") == "close"
    assert await client.rest() == b""


async def test_a_body_that_nobody_reads_does_not_become_the_next_request(served: Served, app: Application) -> None:
    client = await served.connect()
    smuggled = get(b"/smuggled")
    client.say(get(b"/unread", b"Content-Length: %d" % (len(smuggled) + 40), method=b"POST"), smuggled)
    assert (await client.answer()).body == b"unread"
    client.say(b"x" * 40, post(b"next"))
    assert (await client.answer()).body == b"next"
    assert [scope["path"] for scope in app.scopes] == ["/unread", "/"]


async def test_an_application_waits_for_each_part_of_a_body(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(CHUNKED)
    for count, part in enumerate((b"3\r\none\r\n", b"3\r\ntwo\r\n"), start=1):
        client.say(part)
        while len(app.messages) < count:
            await asyncio.sleep(0)
    client.say(b"0\r\n\r\n")
    assert (await client.answer()).body == b"onetwo"
    assert [message["more_body"] for message in app.messages] == [True, True, False]


async def test_a_large_body_may_wait_for_an_earlier_answer(app: Application) -> None:
    body = bytes(range(256)) * 4_000
    async with serving(app) as served:
        client = await served.connect()
        client.say(get(b"/waiting"), post(body), post(b"last"))
        await app.entered.wait()
        app.released.set()
        assert [(await client.answer()).body for _ in range(3)] == [b"", body, b"last"]


async def test_a_client_that_does_not_wait_to_continue_is_served_too(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/", b"Content-Length: 3", b"Expect: 100-continue", method=b"POST"), b"abc")
    assert (await client.answer()).status == 100
    assert (await client.answer()).body == b"abc"


async def test_a_body_larger_than_the_buffer_waits_for_the_application(app: Application) -> None:
    body = bytes(range(256)) * 40_000
    async with serving(app) as served:
        client = await served.connect()
        client.say(get(b"/waiting", b"Content-Length: %d" % len(body), method=b"POST"), body)
        await app.entered.wait()
        connection: Any = next(iter(served.server.server_state.connections))
        while not connection.is_body_paused:
            await asyncio.sleep(0)
        assert connection.current.buffered < 500_000
        app.released.set()
        assert (await client.answer()).body == body


async def test_a_large_body_that_came_whole_and_unread_does_not_stop_the_next_request(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/unread", b"Content-Length: 90000", method=b"POST"), b"x" * 90_000)
    assert (await client.answer()).body == b"unread"
    client.say(post(b"next"))
    assert (await client.answer()).body == b"next"


async def test_after_the_response_the_application_receives_the_disconnect(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(get(b"/listening"))
    await app.entered.wait()
    await client.close()
    await app.released.wait()
    assert app.messages[-1] == {"type": "http.disconnect"}


class Waiting:
    """A stream that has sent one part and waits for ever, as one of rare events does."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.is_closed = False

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["path"] == "/late":
            # The client has left before the response begins.
            await self.entered.wait()
            while (await receive())["type"] != "http.disconnect":
                pass
        await StreamingResponse(self.parts())(scope, receive, send)

    async def parts(self) -> AsyncIterator[bytes]:
        try:
            yield b"one"
            self.entered.set()
            await asyncio.Event().wait()
        finally:
            self.is_closed = True


@pytest.mark.parametrize("http", [Quick, "httptools"])
async def test_a_stream_that_only_waits_ends_when_its_client_leaves(http: Any) -> None:
    app = Waiting()
    async with serving(app, http) as served:
        client = await served.connect()
        client.say(get(b"/stream"))
        await app.entered.wait()
        await client.close()
        async with asyncio.timeout(10):
            await served.emptied()
    assert app.is_closed


async def test_a_stream_that_begins_after_its_client_has_left_ends_as_well() -> None:
    app = Waiting()
    async with serving(app, Quick) as served:
        client = await served.connect()
        client.say(get(b"/late"))
        await client.close()
        app.entered.set()
        async with asyncio.timeout(10):
            await served.emptied()
    assert not served.server.server_state.tasks


async def test_whoever_listens_beside_the_response_hears_of_its_end(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(get(b"/racing", b"Content-Length: 3", method=b"POST"))
    assert (await client.answer()).header("connection") == "keep-alive"
    while not app.messages:
        await asyncio.sleep(0)
    client.say(b"abc", get(b"/racing"))
    assert (await client.answer()).body == b"raced"
    await client.close()
    await served.emptied()
    assert app.messages == [{"type": "http.disconnect"}, {"type": "http.request", "body": b"", "more_body": False}]


async def test_an_application_may_give_up_waiting_for_a_body(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(get(b"/impatient", b"Content-Length: 3", method=b"POST"))
    await app.entered.wait()
    client.say(b"abc")
    assert (await client.answer()).body == b"abc"


async def test_a_task_that_is_cancelled_after_its_response_harms_no_other(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(get(b"/lingering"))
    assert (await client.answer()).body == b"done"
    client.say(get(b"/waiting"))
    await app.entered.wait()
    next(task for task in served.server.server_state.tasks if task in app.tasks).cancel()
    app.released.set()
    assert (await client.answer()).status == 200


async def test_after_the_response_began_nobody_is_told_to_continue(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/late", b"Content-Length: 3", b"Expect: 100-continue", method=b"POST"), b"abc")
    answer = await client.answer()
    assert (answer.status, answer.body, answer.header("connection")) == (200, b"late", "close")


async def test_websockets_are_handed_to_uvicorns_protocol() -> None:
    async def echo(scope: Scope, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": scope["path"] + message["text"]})
        await receive()

    async with serving(echo, ws="websockets-sansio") as served:
        host, port = served.address
        async with websockets.connect(f"ws://{host}:{port}/room") as socket:
            await socket.send("hello")
            assert await socket.recv() == "/roomhello"


async def test_advisory_granian_a_subprotocol_beyond_ascii_does_not_end_the_server(app: Application) -> None:
    handshake = [b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13"]
    async with serving(app, ws="websockets-sansio") as served:
        for value in (b"\xff", b"\xc3\xbc, a", b"a,,b"):
            client = await served.connect()
            client.say(
                get(
                    b"/", b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Protocol: " + value, *handshake
                )
            )
            await client.close()
        assert (await served.ask(get())).status == 200


async def test_what_is_sent_ahead_of_a_websockets_handshake_is_refused(served: Served, app: Application) -> None:
    handshake = [b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13"]
    answer = await served.ask(get(b"/", b"Upgrade: websocket", b"Connection: Upgrade", *handshake), get(b"/smuggled"))
    assert answer.status == 400
    assert app.scopes == []


async def test_an_upgrade_that_is_not_offered_stays_http(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/", b"Upgrade: h2c", b"Connection: Upgrade"), post(b"next"))
    assert (await client.answer()).status == 200
    assert (await client.answer()).body == b"next"
    client.say(get(b"/", b"Upgrade: h2c", b"Connection: Upgrade"))
    assert (await client.answer()).status == 200
    client.say(post(b"last"))
    assert (await client.answer()).body == b"last"


# Applications that fail


@pytest.mark.parametrize(
    "path",
    [b"/failing", b"/silent", b"/injecting", b"/misnaming", b"/too_long", b"/body_first", b"/started_twice"],
)
async def test_an_application_that_fails_before_anything_was_sent_is_a_500(served: Served, path: bytes) -> None:
    client = await served.connect()
    client.say(get(path))
    answer = await client.answer()
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert (answer.header("connection"), answer.header("set-cookie")) == ("close", None)
    assert await client.rest() == b""


async def test_a_failure_of_the_protocol_itself_is_told(
    app: Application, caplog: pytest.LogCaptureFixture, anyio_backend: Any
) -> None:
    class Broken(BoundedProtocol):
        def on_url(self, url: bytes) -> None:
            raise LookupError("a mistake of ours")

    async with serving(app, Broken) as served:
        assert (await served.ask(get())).status == 400
    assert "a mistake of ours" in caplog.text


@pytest.mark.parametrize("path", [b"/failing_late", b"/unfinished", b"/too_short"])
async def test_a_response_that_breaks_off_does_not_look_whole(served: Served, path: bytes) -> None:
    client = await served.connect()
    client.say(get(path))
    received = await client.rest()
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not received.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("path", [b"/failing_afterwards", b"/talking_on", b"/answering"])
async def test_a_failure_after_the_response_costs_the_client_nothing(served: Served, path: bytes) -> None:
    client = await served.connect()
    client.say(get(path), post(b"next"))
    assert (await client.answer()).body == b"whole"
    assert (await client.answer()).body == b"next"


# Requests that are refused

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
AMBIGUOUS = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two hosts in 1.0": b"GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
    "host with a path": b"GET / HTTP/1.1\r\nHost: x/y?z=\r\n\r\n",
    "host with a user": b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "host list": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "host with two ports": b"GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n",
    "host with a large port": b"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n",
    "host with a word as port": b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
    "host beyond ascii": b"GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n",
    "unclosed bracket": b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "target without slash": b"GET @evil HTTP/1.1\r\nHost: a\r\n\r\n",
    "target of another host": b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "target of another scheme": b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "target with a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "target beyond ascii": b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    "target with a control": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "star for get": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "connect": b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "version 1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "version 2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "http 2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "unknown method": b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
    "lower-case method": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "tab in the request line": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "garbage": b"\x16\x03\x01\x02\x00",
    "bare line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare carriage return": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n",
    "name beyond ascii": b"GET / HTTP/1.1\r\nHost: a\r\nX\xff: a\r\n\r\n",
    "folded line": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "space before the first header": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "nul in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "control in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n",
    "length and encoding": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "encoding and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "list of lengths": HEAD + b"Content-Length: 1, 1\r\n\r\nx",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "signed length": HEAD + b"Content-Length: +1\r\n\r\nx",
    "hexadecimal length": HEAD + b"Content-Length: 0x1\r\n\r\nx",
    "empty length": HEAD + b"Content-Length:\r\n\r\n",
    "overflowing length": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "identity, chunked": HEAD + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "unknown encoding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
BAD_CHUNKS = {
    "bare line feed": b"3\nabc\n0\n\n",
    "space after the size": b"3 \r\nabc\r\n0\r\n\r\n",
    "negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "prefixed size": b"0x3\r\nabc\r\n0\r\n\r\n",
    "empty size": b"\r\nabc\r\n0\r\n\r\n",
    "overflowing size": b"fffffffffffffffff\r\nabc",
    "data beyond the size": b"3\r\nabcd\r\n0\r\n\r\n",
    "no line end after the data": b"3\r\nabc0\r\n\r\n",
    "line feed in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "carriage return in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "bare line feed in a trailer": b"0\r\nX: 1\n\n",
}


async def test_smg_1_ambiguous_requests_are_refused(served: Served, app: Application) -> None:
    accepted = {}
    for name, ambiguous in AMBIGUOUS.items():
        client = await served.connect()
        client.say(ambiguous, get(b"/smuggled"))
        received = await client.rest()
        if not re.match(rb"HTTP/1\.1 (400|505) ", received) or received.count(b"HTTP/1.1") > 1:
            accepted[name] = received
    assert accepted == {}
    assert app.scopes == []


async def test_smg_1_ambiguous_chunks_end_the_request(served: Served, app: Application) -> None:
    accepted = {}
    for name, chunks in BAD_CHUNKS.items():
        client = await served.connect()
        client.say(CHUNKED, chunks, get(b"/smuggled"))
        received = await client.rest()
        if not received.startswith(b"HTTP/1.1 400 ") or received.count(b"HTTP/1.1") > 1:
            accepted[name] = received
    assert accepted == {}
    assert {scope["path"] for scope in app.scopes} == {"/"}


async def test_well_formed_hosts_are_accepted(served: Served) -> None:
    for host in (b"localhost", b"a.example:8000", b"127.0.0.1", b"[::1]:80", b"a-b_c.x", b"a:"):
        assert (await served.ask(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")).status == 200


async def test_an_answer_that_is_due_comes_before_the_refusal(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(get(b"/waiting"), post(b"second"), b"garbage\r\n\r\n")
    await app.entered.wait()
    app.released.set()
    assert (await client.answer()).status == 200
    assert (await client.answer()).body == b"second"
    assert (await client.answer()).status == 400
    assert await client.rest() == b""


async def test_what_follows_a_last_request_does_not_harm_it(served: Served) -> None:
    for more in (b"\r\n", b"garbage", get(b"/more")):
        client = await served.connect()
        client.say(get(b"/unread", b"Connection: close"), more)
        answer = await client.answer()
        assert (answer.status, answer.body, answer.header("connection")) == (200, b"unread", "close")
        assert await client.rest() == b""


async def test_garbage_after_a_request_leaves_its_answer_alone(served: Served) -> None:
    client = await served.connect()
    client.say(post(b"whole"), b"garbage")
    assert (await client.answer()).body == b"whole"
    assert (await client.answer()).status == 400


async def test_garbage_after_a_last_request_that_waits_leaves_its_answer_alone(served: Served) -> None:
    client = await served.connect()
    client.say(post(b"first"), get(b"/", b"Connection: close"), b"garbage")
    assert (await client.answer()).body == b"first"
    assert (await client.answer()).status == 200
    assert await client.rest() == b""


async def test_a_request_that_waits_for_its_turn_can_be_refused(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(get(b"/waiting"), CHUNKED, b"garbage")
    await app.entered.wait()
    app.released.set()
    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 400
    assert await client.rest() == b""
    assert len(app.scopes) == 1


SIZES = [
    (get(b"/" + b"a" * 1023), 200),
    (get(b"/" + b"a" * 1024), 414),
    (b"GET /" + b"a" * 8000, 414),
    (get(b"/", *[b"X: 1"] * 19), 200),
    (get(b"/", *[b"X: 1"] * 20), 431),
    (get(b"/", b"X: " + b"a" * 4000), 200),
    (get(b"/", b"X: " + b"a" * 4096), 431),
    (get(b"/", *[b"X: " + b"a" * 500] * 9), 431),
    (b"GET / HTTP/1.1\r\nX: " + b"a" * 4200, 431),
    (get(b"/", b"Content-Length: 100001", method=b"POST"), 413),
    (CHUNKED + (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 25, 413),
    (CHUNKED + b"0\r\n" + b"X: 1\r\n" * 21 + b"\r\n", 431),
]


@pytest.mark.requirement("LIM-1")
async def test_lim_1_requests_above_the_limits_are_refused() -> None:
    async def read_all(scope: Scope, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async with serving(read_all, Quick) as served:
        assert [(await served.ask(said)).status for said, _ in SIZES] == [status for _, status in SIZES]
        await served.emptied()


ENDLESS = [
    (b"GET /", b"a" * 10_000, 414),
    (b"GET / HTTP/1.1\r\nX: ", b"a" * 10_000, 431),
    (b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 1_000, 431),
    (CHUNKED + b"0\r\nX: ", b"a" * 10_000, 431),
    (CHUNKED + b"3;", b"a" * 10_000, 431),
    (CHUNKED, b"1\r\na\r\n" * 1_000, 413),
]


@pytest.mark.parametrize(("opening", "more", "status"), ENDLESS)
async def test_lim_1_what_does_not_end_is_refused_before_it_costs_memory(
    served: Served, opening: bytes, more: bytes, status: int
) -> None:
    client = await served.connect()
    answering = asyncio.create_task(client.answer())
    client.say(opening)
    sent = 0
    while not answering.done() and sent < 60_000_000:
        client.say(more)
        sent += len(more)
        await client.writer.drain()
        await asyncio.sleep(0)
    assert (await answering).status == status
    assert sent < 2_000_000
    await client.close()
    await served.emptied()


async def test_lim_1_many_tiny_chunks_cost_linear_time(app: Application) -> None:
    async with serving(app) as served:
        answer = await asyncio.wait_for(served.ask(CHUNKED + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n"), 10)
        assert len(answer.body) == 200_000


# Clients that take their time


@pytest.mark.parametrize("started", [b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"GET"])
@pytest.mark.requirement("LIM-5")
async def test_lim_5_a_head_that_does_not_end_is_a_timeout(served: Served, started: bytes) -> None:
    client = await served.connect()
    client.say(started)
    assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
    await served.emptied()


async def test_lim_5_a_connection_that_says_nothing_is_closed(served: Served) -> None:
    assert await (await served.connect()).rest() == b""
    await served.emptied()


async def test_lim_5_line_ends_do_not_keep_a_connection_open(served: Served) -> None:
    client = await served.connect()

    async def keep_talking() -> None:
        while not client.writer.is_closing():
            client.say(BLANK)
            await asyncio.sleep(0.02)

    talking = asyncio.create_task(keep_talking())
    assert await client.rest() == b""
    talking.cancel()


async def test_lim_5_a_head_that_began_during_an_answer_has_its_time_too(served: Served, app: Application) -> None:
    client = await served.connect()
    client.say(get(b"/waiting"), b"GET / HTTP")
    await app.entered.wait()
    app.released.set()
    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 408
    assert await client.rest() == b""


@pytest.mark.parametrize("path", [b"/", b"/waiting"])
@pytest.mark.requirement("LIM-5")
async def test_lim_5_a_body_that_does_not_end_is_a_timeout(served: Served, app: Application, path: bytes) -> None:
    client = await served.connect()
    client.say(get(path, b"Content-Length: 10", method=b"POST"), b"abc")
    assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
    app.released.set()
    await served.emptied()
    assert app.messages[-1] == {"type": "http.disconnect"}


async def test_lim_5_a_body_that_keeps_coming_has_more_time(served: Served) -> None:
    slow, timed = await served.connect(), await served.connect()
    slow.say(get(b"/", b"Content-Length: 10001", method=b"POST"), b"x" * 10_000)
    timed.say(get(b"/", b"Content-Length: 10", method=b"POST"))
    assert (await timed.answer()).status == 408
    slow.say(b"y")
    assert (await slow.answer()).body == b"x" * 10_000 + b"y"


@pytest.mark.requirement("LIM-5")
async def test_lim_5_what_came_fast_earns_no_time_for_a_rest_that_does_not(served: Served) -> None:
    client = await served.connect()
    client.say(get(b"/", b"Content-Length: 90001", method=b"POST"), b"x" * 90_000)
    began = asyncio.get_running_loop().time()
    assert (await client.answer()).status == 408
    assert asyncio.get_running_loop().time() - began < 3


async def test_lim_5_a_client_that_does_not_read_is_cut(app: Application) -> None:
    async with serving(app, Quick) as served:
        app.server_has_connections = lambda: bool(served.server.server_state.connections)
        client = await served.connect()
        client.say(get(b"/endless"))
        await app.released.wait()
        await served.emptied()


@pytest.mark.requirement("LIM-5")
async def test_lim_5_an_answer_that_nobody_reads_is_given_up(app: Application) -> None:
    async with serving(app, Quick, timeout_keep_alive=0) as served:
        client = await served.connect()
        client.say(get(b"/huge"))
        await served.emptied()


async def test_an_application_may_take_longer_than_any_client(served: Served, app: Application) -> None:
    client, timed = await served.connect(), await served.connect()
    client.say(get(b"/waiting"))
    await app.entered.wait()
    assert await timed.rest() == b""
    app.released.set()
    assert (await client.answer()).status == 200


async def test_a_kept_connection_is_closed_after_uvicorns_setting(app: Application) -> None:
    async with serving(app, timeout_keep_alive=0) as served:
        client = await served.connect()
        client.say(get())
        assert (await client.answer()).status == 200
        assert await client.rest() == b""


# uvicorn's settings


async def test_configured_headers_are_sent_and_others_left_out(app: Application) -> None:
    async with serving(app, headers=[("x-extra", "1")], server_header=False, date_header=False) as served:
        assert [name for name, _ in (await served.ask(get())).headers] == ["x-extra", "content-length"]


@pytest.mark.parametrize("http", ["httptools", BoundedProtocol])
async def test_above_the_concurrency_limit_the_server_answers_503(app: Application, http: Any) -> None:
    async with serving(app, http, limit_concurrency=3) as served:
        clients = [await served.connect() for _ in range(3)]
        clients[0].say(get())
        answer = await clients[0].answer()
        assert (answer.status, answer.body) == (503, b"Service Unavailable")
        await clients[2].close()
        await clients[0].close()
        while len(served.server.server_state.connections) > 1:
            await asyncio.sleep(0)
        clients[1].say(get())
        assert (await clients[1].answer()).status == 200


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


async def test_tls_is_served(app: Application, certificate: Path) -> None:
    tls = {"ssl": ssl.create_default_context(cafile=certificate), "server_hostname": "localhost"}
    body = bytes(range(256)) * 4_000
    async with serving(app, Quick, ssl_certfile=str(certificate)) as served:
        client = await served.connect(**tls)
        for sent in (b"hello", b"again", b"x" * 90_000):
            client.say(post(sent))
            assert (await client.answer()).body == sent
        client.say(get(b"/large"), get(b"/stream"))
        assert [len((await client.answer()).body) for _ in range(2)] == [300_000, 6]
        assert {scope["scheme"] for scope in app.scopes} == {"https"}

        refused = await served.connect(**tls)
        refused.say(post(body))
        assert (await refused.answer()).status == 413
        assert await refused.rest() == b""
        silent = await served.connect(**tls)
        assert await silent.rest() == b""
        plain = await served.connect()
        plain.say(get())
        assert await plain.rest() == b""


async def test_unix_sockets_are_served(app: Application, tmp_path: Path) -> None:
    path = str(tmp_path / "server.sock")
    server = uvicorn.Server(uvicorn.Config(app, http=BoundedProtocol, uds=path, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    client = Client(*await asyncio.open_unix_connection(path))
    client.say(post(b"hello"))
    assert (await client.answer()).body == b"hello"
    assert (app.scopes[0]["server"], app.scopes[0]["client"]) == ((path, None), None)
    await client.close()
    server.should_exit = True
    await running


async def test_the_server_ends_after_its_number_of_requests(app: Application) -> None:
    async with serving(app, limit_max_requests=2) as served:
        client = await served.connect()
        client.say(get(), get())
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        assert await client.rest() == b""


async def test_each_request_may_have_a_fresh_context() -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    async def remember(scope: Scope, receive: Any, send: Any) -> None:
        seen.append(variable.get())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    variable.set("leaked")
    for reset in (True, False):
        async with serving(remember, reset_contextvars=reset) as served:
            await served.ask(get())
    assert seen == ["unset", "leaked"]


async def test_requests_are_logged_as_uvicorn_logs_them(app: Application, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "uvicorn.access")
    for http in ("httptools", BoundedProtocol):
        async with serving(app, http) as served:
            await served.ask(get(b"/?x=%0a%1b[31m"))
    records = [record for record in caplog.records if record.name == "uvicorn.access"]
    assert [record.getMessage().partition(" - ")[2] for record in records] == ['"GET /?x=%0a%1b[31m HTTP/1.1" 200'] * 2
    assert isinstance(records[0].args, tuple)
    assert isinstance(records[1].args, tuple)
    assert records[0].args[1:] == records[1].args[1:]


async def test_cve_uvicorn_2020_7694_a_path_cannot_write_into_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    async def say_nothing(scope: Scope, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    caplog.set_level(logging.INFO, "uvicorn.access")
    async with serving(say_nothing) as served:
        await served.ask(get(b"/%0a%1b[31m%C2%85"))
    assert caplog.messages[-1].partition(" - ")[2] == '"GET /%0a%1b[31m%C2%85 HTTP/1.1" 204'


async def test_the_access_log_can_be_switched_off(app: Application, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "uvicorn.access")
    async with serving(app, access_log=False) as served:
        await served.ask(get())
    assert not [record for record in caplog.records if record.name == "uvicorn.access"]


async def test_a_shutdown_waits_for_answers_and_closes_idle_connections(app: Application) -> None:
    async with serving(app) as served:
        busy, idle = await served.connect(), await served.connect()
        idle.say(get())
        await idle.answer()
        busy.say(get(b"/waiting"))
        await app.entered.wait()
        await served.stop()
        assert await idle.rest() == b""
        app.released.set()
        answer = await busy.answer()
        assert (answer.status, answer.header("connection")) == (200, "close")
        assert await busy.rest() == b""


async def test_who_has_just_connected_is_answered_at_a_shutdown(app: Application) -> None:
    async with serving(app) as served:
        client, slow = await served.connect(), await served.connect()
        while len(served.server.server_state.connections) < 2:
            await asyncio.sleep(0)
        slow.say(b"GET / HTTP/1.1\r\n")
        await served.stop()
        connections: set[Any] = served.server.server_state.connections
        while not all(connection.is_asked_to_end for connection in connections):
            await asyncio.sleep(0)
        client.say(get())
        assert (await client.answer()).header("connection") == "close"
        assert await client.rest() == b""
        slow.say(b"Host: a\r\n\r\n")
        assert (await slow.answer()).header("connection") == "close"


def connections_of(served: Served) -> list[BoundedProtocol]:
    return cast("list[BoundedProtocol]", list(served.server.server_state.connections))


async def test_a_shutdown_lets_a_new_connection_ask_what_it_came_for(app: Application) -> None:
    async with serving(app) as served:
        fresh, half = await served.connect(), await served.connect()
        half.say(get()[:10])
        await served.stop()
        while not all(connection.is_asked_to_end for connection in connections_of(served)):
            await asyncio.sleep(0)
        for client, rest in ((fresh, get()), (half, get()[10:])):
            client.say(rest)
            answer = await client.answer()
            assert (answer.status, answer.header("connection")) == (200, "close")
            assert await client.rest() == b""


async def test_a_shutdown_waits_for_no_request_that_does_not_come(app: Application) -> None:
    async with serving(app) as served:
        silent = await served.connect()
        await served.stop()
        assert await silent.rest() == b""


async def test_a_shutdown_cancels_what_does_not_end_in_time(app: Application) -> None:
    async with serving(app, timeout_graceful_shutdown=0) as served:
        client = await served.connect()
        client.say(get(b"/waiting"))
        await app.entered.wait()
        await served.stop()
        assert await client.rest() == b""


async def test_limits_belong_to_a_subclass() -> None:
    assert replace(Limits(), body_bytes=1) == Limits(body_bytes=1)
    assert BoundedProtocol.limits == Limits()


def test_what_is_remembered_is_bounded_and_never_a_cookie() -> None:
    lines = HeaderLines()
    for number in range(3 * REMEMBERED):
        assert lines[b"X-Number", b"%d" % number] == (b"x-number: %d\r\n" % number, None)
        require_host(b"host-%d" % number)
    assert lines[b"Set-Cookie", b"session=secret"] == (b"set-cookie: session=secret\r\n", None)
    assert lines[b"X-Long", b"x" * 1000][0].endswith(b"xxx\r\n")
    assert 0 < len(lines) <= REMEMBERED
    assert 0 < require_host.cache_info().currsize <= REMEMBERED
    assert not [name for name, _ in lines if name in (b"Set-Cookie", b"X-Long")]
