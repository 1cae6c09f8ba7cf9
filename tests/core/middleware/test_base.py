"""Middleware written as one function: what it shares with the rest of the application, and how it ends."""

import contextvars
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from core.applications import Starlette
from core.background import BackgroundTask
from core.middleware import Middleware
from core.middleware.base import BaseHTTPMiddleware, DispatchFunction, InnerResponse, RequestResponseEndpoint
from core.requests import Request
from core.responses import PlainTextResponse, Response, StreamingResponse
from core.routing import Route
from core.testclient import AsyncTestClient
from core.types import Message, Receive, Scope, Send
from tests.core.connections import Sent, body_of, http_scope, messages_of

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

Endpoint = Callable[[Request], Awaitable[Response]]


def app_of(endpoint: Endpoint, *dispatches: DispatchFunction) -> Starlette:
    middleware = [Middleware(BaseHTTPMiddleware, dispatch=dispatch) for dispatch in dispatches]
    return Starlette(routes=[Route("/", endpoint, methods=["GET", "POST"])], middleware=middleware)


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


async def read_again(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    assert isinstance(response, InnerResponse)
    response.body_iterator = response.body_iterator
    return response


async def say_ok(request: Request) -> Response:
    return PlainTextResponse("ok")


class Exchange(Sent):
    """A request as servers keep it: an object with the scope, whose methods receive and send."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = http_scope()

    async def receive(self) -> Message:
        return {"type": "http.request", "body": b""}


async def test_a_layer_leaves_nothing_to_the_garbage_collector() -> None:
    app = app_of(say_ok, pass_on, pass_on)
    await app(http_scope(), body_of(b""), Sent())
    exchange = Exchange()
    gone = weakref.ref(exchange)

    await app(exchange.scope, exchange.receive, exchange)
    assert exchange.body == b"ok"
    await anyio.lowlevel.checkpoint()
    del exchange

    assert gone() is None


class TestContextVariables:
    async def test_a_variable_set_in_the_endpoint_is_seen_after_call_next(self) -> None:
        seen: list[str] = []

        async def endpoint(request: Request) -> Response:
            VARIABLE.set("endpoint")
            return PlainTextResponse("ok")

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            response = await call_next(request)
            seen.append(VARIABLE.get())
            return response

        await AsyncTestClient(app_of(endpoint, dispatch, pass_on)).get("/")

        assert seen == ["endpoint"]

    async def test_a_variable_set_before_call_next_is_seen_in_the_endpoint(self) -> None:
        async def endpoint(request: Request) -> Response:
            return PlainTextResponse(VARIABLE.get())

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            VARIABLE.set("dispatch")
            return await call_next(request)

        assert (await AsyncTestClient(app_of(endpoint, dispatch, pass_on)).get("/")).text == "dispatch"


class TestBody:
    async def test_both_sides_may_read_the_body(self) -> None:
        async def endpoint(request: Request) -> Response:
            return Response(await request.body())

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            before = await request.body()
            response = await call_next(request)
            response.headers["x-before"] = before.decode()
            return response

        response = await AsyncTestClient(app_of(endpoint, dispatch)).post("/", content=b"body")

        assert (response.content, response.headers["x-before"]) == (b"body", "body")

    async def test_dispatch_may_read_the_body_after_the_endpoint_did(self) -> None:
        async def endpoint(request: Request) -> Response:
            return Response(await request.body())

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            response = await call_next(request)
            response.headers["x-after"] = (await request.body()).decode()
            return response

        response = await AsyncTestClient(app_of(endpoint, dispatch)).post("/", content=b"body")

        assert response.headers["x-after"] == "body"

    async def test_an_application_without_request_objects_gets_the_body_again(self) -> None:
        async def echo(scope: Scope, receive: Receive, send: Send) -> None:
            message = await receive()
            await Response(message["body"])(scope, receive, send)

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            await request.body()
            return await call_next(request)

        sent = Sent()
        await BaseHTTPMiddleware(echo, dispatch)(http_scope(), body_of(b"bo", b"dy"), sent)

        assert sent.body == b"body"

    async def test_after_dispatch_consumed_the_stream_the_endpoint_gets_an_empty_body(self) -> None:
        async def endpoint(request: Request) -> Response:
            return Response(b"<" + await request.body() + b">")

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            async for _ in request.stream():
                pass
            return await call_next(request)

        assert (await AsyncTestClient(app_of(endpoint, dispatch)).post("/", content=b"body")).content == b"<>"

    async def test_the_stream_is_spent_once_the_endpoint_has_consumed_it(self) -> None:
        async def endpoint(request: Request) -> Response:
            async for _ in request.stream():
                pass
            return Response()

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            response = await call_next(request)
            with pytest.raises(RuntimeError, match="Stream consumed"):
                request.stream()
            return response

        assert (await AsyncTestClient(app_of(endpoint, dispatch)).post("/", content=b"body")).status_code == 200


class TestResponses:
    async def test_the_response_may_be_changed_and_replaced(self) -> None:
        async def change(request: Request, call_next: RequestResponseEndpoint) -> Response:
            response = await call_next(request)
            response.headers["x-changed"] = "yes"
            response.status_code = 201
            return response

        async def replace(request: Request, call_next: RequestResponseEndpoint) -> Response:
            await call_next(request)
            return PlainTextResponse("other")

        changed = await AsyncTestClient(app_of(say_ok, change)).get("/")
        replaced = await AsyncTestClient(app_of(say_ok, replace, pass_on)).get("/")

        assert (changed.status_code, changed.headers["x-changed"], changed.text) == (201, "yes", "ok")
        assert replaced.text == "other"

    async def test_an_endless_stream_that_is_dropped_ends(self) -> None:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x"

        async def endpoint(request: Request) -> Response:
            return StreamingResponse(endless())

        async def replace(request: Request, call_next: RequestResponseEndpoint) -> Response:
            await call_next(request)
            return PlainTextResponse("other")

        with anyio.fail_after(5):
            assert (await AsyncTestClient(app_of(endpoint, replace)).get("/")).text == "other"

    async def test_a_stream_is_passed_on_piece_by_piece(self) -> None:
        pulled: list[int] = []

        async def numbers() -> AsyncIterator[bytes]:
            for number in range(3):
                pulled.append(number)
                yield str(number).encode()

        async def endpoint(request: Request) -> Response:
            return StreamingResponse(numbers())

        pulled_when_sent: list[int] = []

        async def send(message: Message) -> None:
            if message.get("body"):
                pulled_when_sent.append(len(pulled))

        await app_of(endpoint, pass_on)(http_scope(), body_of(b""), send)

        assert pulled_when_sent[0] < 3

    async def test_a_child_task_of_the_application_may_send(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(StreamingResponse(iter([b"a", b"b"])), scope, receive, send)

        sent = Sent()
        await BaseHTTPMiddleware(app, pass_on)(http_scope(), body_of(b""), sent)

        assert sent.body == b"ab"

    async def test_a_timeout_in_dispatch_may_end_while_the_application_has_one_of_its_own(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            with anyio.fail_after(5):
                await PlainTextResponse("ok")(scope, receive, send)

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            with anyio.fail_after(5):
                return await call_next(request)

        sent = Sent()
        await BaseHTTPMiddleware(app, dispatch)(http_scope(), body_of(b""), sent)

        assert sent.body == b"ok"

    async def test_a_timeout_around_call_next_cancels_the_application(self) -> None:
        cancelled = anyio.Event()

        async def endpoint(request: Request) -> Response:
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.set()
            return Response()

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            with anyio.move_on_after(0.01):
                return await call_next(request)
            with anyio.fail_after(5):
                await cancelled.wait()
            return PlainTextResponse("too slow", status_code=504)

        assert (await AsyncTestClient(app_of(endpoint, dispatch)).get("/")).text == "too slow"

    async def test_an_application_that_answers_nothing_is_an_error(self) -> None:
        async def silent(scope: Scope, receive: Receive, send: Send) -> None:
            pass

        with pytest.raises(RuntimeError, match="No response returned"):
            await BaseHTTPMiddleware(silent, pass_on)(http_scope(), body_of(b""), Sent())

    async def test_dispatch_may_put_another_body_in_place_and_add_background_work(self) -> None:
        done: list[str] = []

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            response = await call_next(request)
            assert isinstance(response, InnerResponse)
            inner = response.body_iterator

            async def shouted() -> AsyncIterator[bytes]:
                async for chunk in inner:
                    yield chunk.upper()

            response.body_iterator = shouted()
            response.background = BackgroundTask(done.append, "background")
            return response

        sent = Sent()
        await app_of(say_ok, pass_on, dispatch)(http_scope(), body_of(b""), sent)

        assert (sent.body, done) == (b"OK", ["background"])

    @pytest.mark.parametrize("layers", [1, 2])
    async def test_background_work_waits_until_the_outer_response_was_sent(self, layers: int) -> None:
        steps: list[str] = []

        async def endpoint(request: Request) -> Response:
            return PlainTextResponse("ok", background=BackgroundTask(steps.append, "background"))

        async def foreign(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"ok"})
            steps.append("background")

        async def send(message: Message) -> None:
            await anyio.lowlevel.checkpoint()
            steps.append(message["type"])

        for app in (app_of(endpoint), foreign):
            steps.clear()
            for _ in range(layers):
                app = BaseHTTPMiddleware(app, pass_on)
            await app(http_scope(), body_of(b""), send)
            assert steps == ["http.response.start", "http.response.body", "http.response.body", "background"]

    @pytest.mark.parametrize("dispatch", [pass_on, read_again])
    @pytest.mark.parametrize("layers", [1, 2])
    async def test_trailers_follow_the_complete_body(self, layers: int, dispatch: DispatchFunction) -> None:
        trailers = {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": False}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "trailers": True})
            await send({"type": "http.response.body", "body": b"ok"})
            await send({**trailers, "more_trailers": True})
            await send(trailers)

        around: Any = app
        for _ in range(layers):
            around = BaseHTTPMiddleware(around, dispatch)
        sent = Sent()
        await around(http_scope(), body_of(b""), sent)

        assert sent.body == b"ok"
        assert not [message for message in sent.messages if message["type"].endswith("body")][-1].get("more_body")
        assert sent.messages[-2:] == [{**trailers, "more_trailers": True}, trailers]

    async def test_what_is_neither_head_nor_body_passes_directly(self) -> None:
        hint = {"type": "http.response.early_hint", "links": [b"</app.css>"]}
        path = {"type": "http.response.pathsend", "path": "/srv/file"}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(hint)
            await send({"type": "http.response.start", "status": 200})
            await send(path)

        sent = Sent()
        await BaseHTTPMiddleware(app, pass_on)(http_scope(), body_of(b""), sent)

        assert [message["type"] for message in sent.messages] == [hint["type"], "http.response.start", path["type"]]

    async def test_a_stream_of_child_tasks_that_is_dropped_ends(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async def endless() -> None:
                while True:
                    await send({"type": "http.response.body", "body": b"x", "more_body": True})

            await send({"type": "http.response.start", "status": 200})
            async with anyio.create_task_group() as group:
                group.start_soon(endless)

        async def replace(request: Request, call_next: RequestResponseEndpoint) -> Response:
            await call_next(request)
            return PlainTextResponse("other")

        sent = Sent()
        with anyio.fail_after(5):
            await BaseHTTPMiddleware(app, replace)(http_scope(), body_of(b""), sent)
        assert sent.body == b"other"

    async def test_an_error_within_the_body_comes_once_and_after_what_was_sent_before_it(self) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"before"
            raise LookupError("broken")

        async def endpoint(request: Request) -> Response:
            return StreamingResponse(broken())

        sent = Sent()
        with pytest.raises(LookupError, match="broken"):
            await app_of(endpoint, pass_on, pass_on)(http_scope(), body_of(b""), sent)
        assert sent.body == b"before"

    async def test_a_cancellation_from_outside_ends_the_application_too(self) -> None:
        ended = anyio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await StreamingResponse(never())(scope, receive, send)
            finally:
                ended.set()

        async def never() -> AsyncIterator[bytes]:
            yield b"first"
            await anyio.sleep_forever()

        sent = Sent()
        with anyio.move_on_after(0.01):
            await BaseHTTPMiddleware(app, pass_on)(http_scope(), body_of(b""), sent)

        assert (sent.body, ended.is_set()) == (b"first", True)


class TestDisconnects:
    async def test_the_body_streams_through_and_then_the_client_has_gone(self) -> None:
        received: list[Message] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            received.extend([await receive(), await receive()])
            await PlainTextResponse("ok")(scope, receive, send)
            await done.wait()
            received.append(await receive())

        done = anyio.Event()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                done.set()

        await BaseHTTPMiddleware(app, pass_on)(http_scope(), body_of(b"bo", b"dy"), send)

        assert [message.get("body") for message in received] == [b"bo", b"dy", None]
        assert received[-1]["type"] == "http.disconnect"

    async def test_the_endpoint_learns_that_the_client_has_gone(self) -> None:
        seen: list[bool] = []

        async def endpoint(request: Request) -> Response:
            await request.body()
            seen.append(await request.is_disconnected())
            return PlainTextResponse("ok")

        receive = messages_of({"type": "http.request", "body": b""}, {"type": "http.disconnect"})
        await app_of(endpoint, pass_on, pass_on)(http_scope(), receive, Sent())

        assert seen == [True]

    async def test_an_application_without_request_objects_learns_it_too(self) -> None:
        received: list[str] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            received.extend([(await receive())["type"] for _ in range(3)])
            await PlainTextResponse("ok")(scope, receive, send)

        async def with_another_request(request: Request, call_next: RequestResponseEndpoint) -> Response:
            return await call_next(Request(request.scope, request.receive))

        receive = messages_of({"type": "http.request", "body": b""}, {"type": "http.disconnect"})
        await BaseHTTPMiddleware(app, with_another_request)(http_scope(), receive, Sent())

        assert received == ["http.request", "http.disconnect", "http.disconnect"]


class TestErrors:
    async def test_an_error_comes_out_of_call_next_as_it_was_raised(self) -> None:
        cause, failure = KeyError("cause"), ValueError("failure")
        caught: list[Exception] = []

        async def endpoint(request: Request) -> Response:
            raise failure from cause

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            try:
                return await call_next(request)
            except ValueError as error:
                caught.append(error)
                raise

        with pytest.raises(ValueError, match="failure") as raised:
            await AsyncTestClient(app_of(endpoint, dispatch)).get("/")

        assert caught == [failure]
        assert raised.value is failure
        assert (failure.__cause__, failure.__context__) == (cause, None)

    async def test_an_error_caught_in_dispatch_is_not_raised_again(self) -> None:
        async def endpoint(request: Request) -> Response:
            raise ValueError

        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            try:
                return await call_next(request)
            except ValueError:
                return PlainTextResponse("caught")

        assert (await AsyncTestClient(app_of(endpoint, dispatch)).get("/")).text == "caught"

    async def test_an_error_of_background_work_surfaces(self) -> None:
        def fail() -> None:
            raise LookupError("background")

        async def endpoint(request: Request) -> Response:
            return PlainTextResponse("ok", background=BackgroundTask(fail))

        sent = Sent()
        with pytest.raises(LookupError, match="background"):
            await app_of(endpoint, pass_on, pass_on)(http_scope(), body_of(b""), sent)
        assert sent.body == b"ok"

    async def test_what_is_no_error_but_ends_the_program_is_not_wrapped_in_a_group(self) -> None:
        class Stop(BaseException):
            pass

        async def leave(scope: Scope, receive: Receive, send: Send) -> None:
            raise Stop

        with pytest.raises(Stop):
            await BaseHTTPMiddleware(leave, pass_on)(http_scope(), body_of(b""), Sent())

    async def test_a_group_raised_by_dispatch_stays_a_group(self) -> None:
        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Any:
            raise ExceptionGroup("several", [ValueError("one")])

        with pytest.raises(ExceptionGroup, match="several"):
            await AsyncTestClient(app_of(say_ok, dispatch)).get("/")
