"""Middleware written as one function: what it shares with the rest of the application, and how it ends."""

import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

from core.applications import Starlette
from core.background import BackgroundTask
from core.middleware import Middleware
from core.middleware.base import BaseHTTPMiddleware, DispatchFunction, RequestResponseEndpoint
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


async def say_ok(request: Request) -> Response:
    return PlainTextResponse("ok")


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


class TestDisconnects:
    async def test_the_endpoint_learns_that_the_client_has_gone(self) -> None:
        seen: list[bool] = []

        async def endpoint(request: Request) -> Response:
            await request.body()
            seen.append(await request.is_disconnected())
            return PlainTextResponse("ok")

        receive = messages_of({"type": "http.request", "body": b""}, {"type": "http.disconnect"})
        await app_of(endpoint, pass_on, pass_on)(http_scope(), receive, Sent())

        assert seen == [True]


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
