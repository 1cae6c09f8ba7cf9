"""Errors that somebody has a handler for."""

import pytest

from core.applications import Starlette
from core.exceptions import HTTPException, WebSocketException
from core.middleware.errors import ServerErrorMiddleware
from core.middleware.exceptions import ExceptionMiddleware
from core.requests import Request
from core.responses import JSONResponse, PlainTextResponse, Response
from core.routing import Route, WebSocketRoute
from core.testclient import TestClient, WebSocketDenialResponse
from core.types import Message, Receive, Scope, Send
from core.websockets import WebSocket, WebSocketDisconnect
from tests.core.connections import Sent, body_of, http_scope, messages_of, websocket_scope
from tests.core.middleware.tagging import Broken, Tagging, fail, http


async def say_sorry(request: Request, error: Exception) -> Response:
    return JSONResponse({"sorry": type(error).__name__}, status_code=500)


class TestExceptionHandlers:
    async def test_the_status_code_counts_before_the_class(self) -> None:
        async def by_status(request: Request, error: Exception) -> Response:
            return PlainTextResponse("status", status_code=404)

        async def by_class(request: Request, error: Exception) -> Response:
            return PlainTextResponse("class", status_code=400)

        app = Starlette(exception_handlers={404: by_status, HTTPException: by_class}, routes=[Route("/", fail)])

        assert (await http(app).get("/missing")).text == "status"
        assert (await http(app).post("/")).text == "class"

    async def test_the_nearest_class_among_the_ancestors_counts(self) -> None:
        class Worse(Broken):
            pass

        def sync_handler(request: Request, error: Exception) -> Response:
            return PlainTextResponse(f"handled {type(error).__name__}", status_code=409)

        async def fail_worse(request: Request) -> Response:
            raise Worse

        app = Starlette(exception_handlers={Broken: sync_handler}, routes=[Route("/", fail_worse)])

        assert (await http(app).get("/")).text == "handled Worse"

    async def test_the_handler_gets_the_request_that_the_endpoint_saw(self) -> None:
        seen: list[Request] = []

        async def endpoint(request: Request) -> Response:
            seen.append(request)
            raise Broken

        async def handler(request: Request, error: Exception) -> Response:
            seen.append(request)
            return Response(status_code=400)

        await http(Starlette(routes=[Route("/", endpoint)], exception_handlers={Broken: handler})).get("/")

        assert seen[0] is seen[1]

    async def test_a_shared_exception_keeps_no_frames_of_the_requests_that_raised_it(self) -> None:
        shared = HTTPException(400)

        async def endpoint(request: Request) -> Response:
            raise shared

        await http(Starlette(routes=[Route("/", endpoint)])).get("/")

        assert shared.__traceback__ is None

    async def test_a_handled_exception_after_the_response_began_is_an_error(self) -> None:
        async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise HTTPException(400)

        app = ExceptionMiddleware(endpoint)

        with pytest.raises(RuntimeError, match="response already started"):
            await app(http_scope(), body_of(b""), Sent())

    async def test_a_response_held_back_by_a_middleware_has_begun_for_the_inside_only(self) -> None:
        """Each middleware that wraps `send` has its own notion of what has been sent."""

        class Holding(Tagging):
            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                async def hold(message: Message) -> None:
                    pass

                await self.app(scope, receive, hold)

        async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise Broken

        sent = Sent()
        with pytest.raises(Broken):
            await ServerErrorMiddleware(Holding(endpoint, "x"))(http_scope(), body_of(b""), sent)
        assert sent.status == 500

    async def test_204_and_304_have_no_body(self) -> None:
        async def endpoint(request: Request) -> Response:
            raise HTTPException(304, headers={"etag": '"a"'})

        response = await http(Starlette(routes=[Route("/", endpoint)])).get("/")

        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", '"a"')

    def test_a_handler_for_something_else_is_refused(self) -> None:
        with pytest.raises(TypeError):
            ExceptionMiddleware(PlainTextResponse(""), handlers={"404": say_sorry})

    def test_a_websocket_exception_closes_with_its_code_and_reason(self) -> None:
        async def endpoint(websocket: WebSocket) -> None:
            await websocket.accept()
            raise WebSocketException(code=1008, reason="too loud")

        client = TestClient(Starlette(routes=[WebSocketRoute("/", endpoint)]))

        with client.websocket_connect("/") as session, pytest.raises(WebSocketDisconnect) as closed:
            session.receive_text()
        assert (closed.value.code, closed.value.reason) == (1008, "too loud")

    @pytest.mark.parametrize(("status_code", "close_code"), [(403, 1008), (503, 1011)])
    def test_an_accepted_websocket_is_closed_with_the_detail(self, status_code: int, close_code: int) -> None:
        async def endpoint(websocket: WebSocket) -> None:
            await websocket.accept()
            raise HTTPException(status_code, "é" * 100)

        client = TestClient(Starlette(routes=[WebSocketRoute("/", endpoint)]))

        with client.websocket_connect("/") as session, pytest.raises(WebSocketDisconnect) as closed:
            session.receive_text()
        assert (closed.value.code, closed.value.reason) == (close_code, "é" * 61)

    def test_a_websocket_is_refused_by_a_response_before_it_is_accepted(self) -> None:
        async def endpoint(websocket: WebSocket) -> None:
            raise HTTPException(403, "not you")

        client = TestClient(Starlette(routes=[WebSocketRoute("/", endpoint)]))

        with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/"):
            pass
        assert (denied.value.status_code, denied.value.text) == (403, "not you")

    async def test_a_websocket_of_a_server_that_cannot_answer_is_closed_instead(self) -> None:
        async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
            raise HTTPException(403)

        sent = Sent()
        await ExceptionMiddleware(endpoint)(websocket_scope(), messages_of({"type": "websocket.connect"}), sent)

        assert sent.messages == [{"type": "websocket.close", "code": 1008, "reason": "Forbidden"}]


def test_only_status_codes_and_exceptions_have_handlers() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    with pytest.raises(TypeError, match="neither a status code nor a class of exceptions"):
        ExceptionMiddleware(app).add_exception_handler(KeyboardInterrupt, say)  # type: ignore[arg-type]


async def say(request: Request, error: Exception) -> Response:
    return PlainTextResponse("handled")
