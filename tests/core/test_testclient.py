from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Literal

import anyio
import httpx2
import pytest

from core.applications import Starlette
from core.background import BackgroundTask
from core.exceptions import StarletteDeprecationWarning
from core.loopback import ProtocolError
from core.requests import ClientDisconnect, Request
from core.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from core.routing import Route, WebSocketRoute
from core.testclient import AsyncTestClient, TestClient, WebSocketDenialResponse
from core.types import Message, Receive, Scope, Send
from core.websockets import WebSocket, WebSocketDisconnect

Backend = Literal["asyncio", "trio"]


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.param
    return chosen


async def echo(request: Request) -> Response:
    return JSONResponse({"method": request.method, "body": (await request.body()).decode(), "path": request.url.path})


async def fail(request: Request) -> Response:
    raise ValueError("broken")


async def count(request: Request) -> Response:
    async def numbers() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number}\n"

    return StreamingResponse(numbers())


async def echo_frames(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol="chat", headers=[(b"x-greeting", b"hello")])
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())


async def deny(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse("Not you", status_code=401))


async def close_at_once(websocket: WebSocket) -> None:
    await websocket.close(4403, "Not you")


async def fail_in_websocket(websocket: WebSocket) -> None:
    await websocket.accept()
    raise ValueError("broken")


APP = Starlette(
    routes=[
        Route("/echo", echo, methods=["GET", "POST"]),
        Route("/fail", fail),
        Route("/count", count),
        WebSocketRoute("/frames", echo_frames),
        WebSocketRoute("/denied", deny),
        WebSocketRoute("/closed", close_at_once),
        WebSocketRoute("/failing", fail_in_websocket),
    ]
)


def test_the_synchronous_client_runs_on_both_event_loops(backend: Backend) -> None:
    client = TestClient(APP, backend=backend)

    assert client.post("/echo", content="hi").json() == {"method": "POST", "body": "hi", "path": "/echo"}


def test_inside_with_every_request_runs_on_the_loop_of_the_lifespan(backend: Backend) -> None:
    async def where(request: Request) -> Response:
        request.state.event.set()
        return PlainTextResponse(str(request.state.event.is_set()))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        yield {"event": anyio.Event()}

    with TestClient(Starlette(routes=[Route("/", where)], lifespan=lifespan), backend=backend) as client:
        assert client.get("/").text == "True"
        assert client.get("/").text == "True"


def test_a_client_may_be_entered_again_and_starts_with_an_empty_state() -> None:
    client = TestClient(APP)
    for _ in range(2):
        with client:
            client.app_state["mark"] = 1
    with client:
        assert client.app_state == {}


def test_a_streamed_request_body_arrives_whole(backend: Backend) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one "
        yield b"two"

    assert TestClient(APP, backend=backend).post("/echo", content=parts()).json()["body"] == "one two"


def test_a_multipart_body_left_unread_leaves_nothing_behind(backend: Backend) -> None:
    async def ignore_body(request: Request) -> Response:
        return PlainTextResponse("done")

    client = TestClient(Starlette(routes=[Route("/", ignore_body, methods=["POST"])]), backend=backend)

    assert client.post("/", files={"file": b"content"}).text == "done"


def test_an_unhandled_error_is_raised_after_the_response_was_made() -> None:
    with pytest.raises(ValueError, match="broken"):
        TestClient(APP).get("/fail")

    assert TestClient(APP, raise_server_exceptions=False).get("/fail").status_code == 500


class Clock:
    """An application that ticks for ever, and remembers that it was cancelled."""

    stopped = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        finally:
            self.stopped = True


def test_closing_an_unfinished_stream_cancels_the_application(backend: Backend) -> None:
    clock = Clock()
    with TestClient(clock, backend=backend) as client:
        with client.stream("GET", "/") as response:
            assert next(response.iter_bytes()) == b"tick"
        assert clock.stopped


def test_leaving_the_client_cancels_responses_left_open(backend: Backend) -> None:
    clock = Clock()
    with TestClient(clock, backend=backend) as client:
        client.send(client.build_request("GET", "/"), stream=True)
        assert not clock.stopped
    assert clock.stopped


def test_leaving_the_client_does_not_wait_for_the_background_task_of_an_open_response(backend: Backend) -> None:
    async def answer_and_sleep(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Response()(scope, receive, send)
            await anyio.sleep_forever()

    with TestClient(answer_and_sleep, backend=backend) as client:
        client.send(client.build_request("GET", "/"), stream=True)


def test_background_tasks_are_done_when_the_response_was_read() -> None:
    done = []

    async def note() -> None:
        await anyio.lowlevel.checkpoint()
        done.append(True)

    async def with_task(request: Request) -> Response:
        return PlainTextResponse("sent", background=BackgroundTask(note))

    TestClient(Starlette(routes=[Route("/", with_task)])).get("/")

    assert done == [True]


def test_each_request_gets_a_copy_of_the_lifespan_state() -> None:
    async def add(request: Request) -> Response:
        request.state.extra = 1
        return JSONResponse(sorted(request.scope["state"]))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        yield {"shared": 1}

    with TestClient(Starlette(routes=[Route("/", add)], lifespan=lifespan)) as client:
        assert client.get("/").json() == ["extra", "shared"]
        assert client.app_state == {"shared": 1}


def test_a_failing_startup_raises_its_own_error() -> None:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        raise ValueError("no database")
        yield

    with pytest.raises(ValueError, match="no database"), TestClient(Starlette(lifespan=lifespan)):
        pass


def test_a_timeout_warns_because_nothing_can_time_out() -> None:
    with pytest.warns(StarletteDeprecationWarning, match="timeout"):
        TestClient(APP).get("/echo", timeout=1)


def test_an_asgi2_application_is_called_as_one() -> None:
    def app(scope: Scope) -> Any:
        async def instance(receive: Receive, send: Send) -> None:
            await PlainTextResponse(scope["path"])(scope, receive, send)

        return instance

    assert TestClient(app).get("/old").text == "/old"


MESSAGES_OUT_OF_ORDER: list[list[Message]] = [
    [],
    [{"type": "http.response.body", "body": b"", "more_body": False}],
    [{"type": "http.response.start", "status": 200}, {"type": "http.response.start", "status": 200}],
    [
        {"type": "http.response.start", "status": 200},
        {"type": "http.response.body"},
        {"type": "http.response.body"},
    ],
    [{"type": "http.response.start", "status": 200}, {"type": "http.response.trailers"}],
    [{"type": "http.response.push"}],
]


@pytest.mark.parametrize("messages", MESSAGES_OUT_OF_ORDER)
def test_messages_out_of_order_are_an_error(messages: list[Message]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(ProtocolError):
        TestClient(app).get("/")


def test_a_websocket_carries_text_and_tells_what_was_accepted(backend: Backend) -> None:
    with TestClient(APP, backend=backend).websocket_connect("/frames", subprotocols=["chat"]) as websocket:
        websocket.send_text("hello")

        assert websocket.receive_text() == "HELLO"
        assert websocket.accepted_subprotocol == "chat"
        assert websocket.extra_headers == [(b"x-greeting", b"hello")]


def test_a_denied_websocket_raises_the_response(backend: Backend) -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as caught,
        TestClient(APP, backend=backend).websocket_connect("/denied"),
    ):
        pass

    assert (caught.value.status_code, caught.value.text) == (401, "Not you")


def test_a_websocket_closed_instead_of_accepted_raises_the_code() -> None:
    with pytest.raises(WebSocketDisconnect) as caught, TestClient(APP).websocket_connect("/closed"):
        pass

    assert (caught.value.code, caught.value.reason) == (4403, "Not you")


def test_an_error_in_a_websocket_is_raised_on_leaving() -> None:
    with pytest.raises(ValueError, match="broken"), TestClient(APP).websocket_connect("/failing"):
        pass


def test_an_error_in_a_websocket_has_no_context_of_the_clients_making() -> None:
    with (
        pytest.raises(ValueError, match="broken") as caught,
        TestClient(APP).websocket_connect("/failing") as websocket,
    ):
        websocket.receive_text()

    assert caught.value.__context__ is None


def test_the_cookies_of_the_client_reach_a_websocket() -> None:
    async def show_cookie(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json([websocket.url.scheme, websocket.cookies])

    client = TestClient(
        Starlette(routes=[WebSocketRoute("/", show_cookie)]), base_url="https://slipway.test", cookies={"a": "b"}
    )
    with client.websocket_connect("/") as websocket:
        assert websocket.receive_json() == ["wss", {"a": "b"}]


async def test_the_asynchronous_client_runs_the_application_on_the_callers_loop() -> None:
    arrived = anyio.Event()

    async def arrive(request: Request) -> Response:
        arrived.set()
        return PlainTextResponse("here")

    client = AsyncTestClient(Starlette(routes=[Route("/", arrive)]))

    assert (await client.get("/")).text == "here"
    assert arrived.is_set()


async def test_the_asynchronous_client_runs_the_lifespan() -> None:
    events = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        events.append("up")
        yield {"name": "shared"}
        events.append("down")

    async def name(request: Request) -> Response:
        return PlainTextResponse(request.state.name)

    app = Starlette(routes=[Route("/", name)], lifespan=lifespan)
    async with AsyncTestClient(app) as client:
        assert (await client.get("/")).text == "shared"
        assert events == ["up"]
    assert events == ["up", "down"]

    client = AsyncTestClient(app)
    async with client.lifespan():
        assert (await client.get("/")).text == "shared"


async def test_an_error_in_the_callers_block_comes_out_bare() -> None:
    with pytest.raises(ValueError, match="in the test"):
        async with AsyncTestClient(APP):
            raise ValueError("in the test")


async def test_the_asynchronous_client_raises_unhandled_errors() -> None:
    with pytest.raises(ValueError, match="broken"):
        await AsyncTestClient(APP).get("/fail")

    assert (await AsyncTestClient(APP, raise_server_exceptions=False).get("/fail")).status_code == 500


async def test_the_asynchronous_client_sends_and_receives_streams() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    client = AsyncTestClient(APP)
    assert (await client.post("/echo", content=parts())).json()["body"] == "one two"
    async with client.stream("GET", "/count") as response:
        assert [line async for line in response.aiter_lines()] == ["0", "1", "2"]


async def test_an_asynchronous_body_that_nobody_reads_is_closed() -> None:
    closed = []

    async def parts() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            yield b"two"
        finally:
            closed.append(True)

    async def read_one_message(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await Response()(scope, receive, send)

    await AsyncTestClient(read_one_message).post("/", content=parts())

    assert closed == [True]


async def test_an_asynchronous_stream_left_early_cancels_the_application() -> None:
    clock = Clock()
    async with AsyncTestClient(clock).stream("GET", "/") as response:
        parts = response.aiter_raw()
        assert await anext(parts) == b"tick"
        await parts.aclose()
    assert clock.stopped


async def test_requests_of_the_asynchronous_client_may_run_together() -> None:
    meeting = anyio.Event()

    async def wait(request: Request) -> Response:
        await meeting.wait()
        return PlainTextResponse("met")

    async def meet(request: Request) -> Response:
        meeting.set()
        return PlainTextResponse("met")

    client = AsyncTestClient(Starlette(routes=[Route("/wait", wait), Route("/meet", meet)]))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, "/wait")
            tasks.start_soon(client.get, "/meet")


async def test_the_asynchronous_client_speaks_websocket() -> None:
    client = AsyncTestClient(APP)
    async with client.websocket_connect("/frames") as websocket:
        await websocket.send_text("hello")
        assert await websocket.receive_text() == "HELLO"
    with pytest.raises(WebSocketDenialResponse):
        async with client.websocket_connect("/denied"):
            pass
    with pytest.raises(ValueError, match="broken"):
        async with client.websocket_connect("/failing"):
            pass


async def test_a_handler_that_ignores_its_closed_websocket_is_cancelled_in_the_end() -> None:
    async def sleep(websocket: WebSocket) -> None:
        await websocket.accept()
        await anyio.sleep_forever()

    client = AsyncTestClient(Starlette(routes=[WebSocketRoute("/", sleep)]))
    with anyio.fail_after(5):
        async with client.websocket_connect("/"):
            pass


async def test_a_response_may_be_read_to_its_end_within_a_timeout() -> None:
    app = Starlette(routes=[Route("/count", count)])
    async with AsyncTestClient(app) as client, client.stream("GET", "/count") as response:
        with anyio.fail_after(10):
            await response.aread()

        assert response.text == "0\n1\n2\n"


async def test_an_application_that_listens_learns_that_its_client_left() -> None:
    received: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        received.append(await receive())
        received.append(await receive())
        await anyio.lowlevel.checkpoint()
        received.append({"type": "and it was not cancelled"})

    client = AsyncTestClient(app)
    async with client.stream("GET", "/") as response, aclosing(response.aiter_raw()) as pieces:
        assert await anext(pieces) == b"one"
        await anyio.wait_all_tasks_blocked()

    assert [message["type"] for message in received] == [*["http.disconnect"] * 2, "and it was not cancelled"]


async def test_sending_to_a_client_that_left_is_refused() -> None:
    raised: list[Exception] = []

    async def endless() -> AsyncIterator[str]:
        while True:
            yield "on"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await StreamingResponse(endless())(scope, receive, send)
        except ClientDisconnect as error:
            raised.append(error)
            raise

    client = AsyncTestClient(app)
    async with client.stream("GET", "/") as response, aclosing(response.aiter_raw()) as pieces:
        await anext(pieces)

    assert len(raised) == 1


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that returns without a word, to a websocket after accepting it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})


def test_an_application_that_answers_nothing_is_an_error_or_a_500() -> None:
    with pytest.raises(ProtocolError, match="without sending one"):
        TestClient(silent).get("/")
    assert TestClient(silent, raise_server_exceptions=False).get("/").status_code == 500


def test_a_websocket_whose_application_returns_is_disconnected() -> None:
    with TestClient(silent).websocket_connect("/") as websocket, pytest.raises(WebSocketDisconnect) as raised:
        websocket.receive()

    assert raised.value.code == 1006


async def test_an_asynchronous_body_need_not_be_a_generator() -> None:
    class Pieces:
        def __init__(self) -> None:
            self.left = [b"a", b"b"]

        def __aiter__(self) -> "Pieces":
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    class Chunks(httpx2.AsyncByteStream):
        def __aiter__(self) -> AsyncIterator[bytes]:
            return Pieces()

    request = httpx2.Request("POST", "http://testserver/echo", stream=Chunks())
    assert (await AsyncTestClient(APP).send(request)).json()["body"] == "ab"


def test_a_websocket_carries_bytes_json_and_raw_messages() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await send({**message, "type": "websocket.send"})

    with TestClient(app).websocket_connect("/") as websocket:
        websocket.send_bytes(b"bytes")
        assert websocket.receive_bytes() == b"bytes"
        websocket.send({"type": "websocket.receive", "text": "raw"})
        assert websocket.receive_text() == "raw"
        websocket.send_json({"a": 1}, mode="binary")
        assert websocket.receive_json(mode="binary") == {"a": 1}
        websocket.close()


def test_a_websocket_may_carry_credentials() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await websocket.send_text(websocket.headers["authorization"])

    for credentials in (("ada", "secret"), httpx2.BasicAuth("ada", "secret")):
        with TestClient(app).websocket_connect("/", auth=credentials) as websocket:
            assert websocket.receive_text() == "Basic YWRhOnNlY3JldA=="


def test_closing_a_client_that_was_never_entered_ends_its_open_responses() -> None:
    client = TestClient(APP)
    request = client.build_request("GET", "/count")
    client.send(request, stream=True)
    client.close()

    assert not client.open_bodies


async def test_hints_pass_only_where_they_were_announced_and_trailers_come_in_parts() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"]["http.response.early_hint"] = {}
        await send({"type": "http.response.early_hint", "links": []})
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b""})
        await send({"type": "http.response.trailers", "headers": [(b"a", b"1")], "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": [(b"b", b"2")]})

    response = await AsyncTestClient(app).get("/")

    assert response.extensions["http.response.trailers"] == [(b"a", b"1"), (b"b", b"2")]


async def test_a_startup_that_fails_in_words_or_is_cancelled_is_an_error() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RuntimeError, match="startup failed: no database"):
        async with AsyncTestClient(app):
            pass


def test_a_websocket_that_is_closed_later_says_so_where_a_frame_is_expected() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await websocket.close(4000, "enough")

    with TestClient(app).websocket_connect("/") as websocket, pytest.raises(WebSocketDisconnect) as raised:
        websocket.receive_text()

    assert (raised.value.code, raised.value.reason) == (4000, "enough")


async def test_a_request_that_is_given_up_cancels_the_application() -> None:
    cancelled: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(scope["path"])

    with anyio.move_on_after(0.01):
        await AsyncTestClient(app).get("/slow")

    assert cancelled == ["/slow"]
