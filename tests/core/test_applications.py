"""The stack around the router: middleware, exception handlers, state."""

from typing import Any

import pytest

from core.applications import Starlette
from core.background import BackgroundTask
from core.exceptions import HTTPException, WebSocketException
from core.middleware import Middleware
from core.middleware.base import BaseHTTPMiddleware
from core.middleware.cors import CORSMiddleware
from core.middleware.errors import ServerErrorMiddleware
from core.middleware.exceptions import ExceptionMiddleware
from core.middleware.gzip import GZipMiddleware
from core.middleware.requestid import RequestIdMiddleware
from core.requests import Request
from core.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from core.routing import Mount, Route, WebSocketRoute
from core.testclient import AsyncTestClient, TestClient
from core.types import ASGIApp, Message, Receive, Scope, Send
from core.websockets import WebSocket, WebSocketDisconnect
from tests.core.connections import Sent, body_of, http_scope


class Broken(Exception):
    pass


async def fail(request: Request) -> Response:
    raise Broken("secret detail")


async def say_sorry(request: Request, error: Exception) -> Response:
    return JSONResponse({"sorry": type(error).__name__}, status_code=500)


class Tagging:
    """Appends its tag to a header of every response."""

    def __init__(self, app: ASGIApp, tag: str) -> None:
        self.app = app
        self.tag = tag

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-tag", self.tag.encode())]
            await send(message)

        await self.app(scope, receive, tagged)


def http(app: Starlette) -> AsyncTestClient:
    return AsyncTestClient(app, raise_server_exceptions=False)


class TestUnhandledErrors:
    async def test_a_500_can_be_answered_inside_the_middleware_so_that_it_has_their_headers(self) -> None:
        """Otherwise a browser reports an error of the server as an error of CORS, and there is no request id."""
        app = Starlette(
            routes=[Route("/", fail)],
            middleware=[
                Middleware(RequestIdMiddleware),
                Middleware(CORSMiddleware, allow_origins=["https://a.test"]),
                Middleware(GZipMiddleware, minimum_size=1),
            ],
            exception_handlers={500: say_sorry},
            error_responses_inside_middleware=True,
        )

        response = await http(app).get("/", headers={"origin": "https://a.test"})

        assert response.status_code == 500
        assert response.json() == {"sorry": "Broken"}
        assert response.headers["access-control-allow-origin"] == "https://a.test"
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["x-request-id"]

    @pytest.mark.parametrize("inside", [False, True])
    async def test_the_server_still_gets_the_exception_to_log(self, inside: bool) -> None:
        app = Starlette(
            routes=[Route("/", fail)],
            middleware=[Middleware(Tagging, "a")],
            error_responses_inside_middleware=inside,
        )

        sent = Sent()
        with pytest.raises(Broken) as raised:
            await app(http_scope(), body_of(b""), sent)

        assert "fail" in [entry.name for entry in raised.traceback]
        assert sent.body == b"Internal Server Error"
        assert ("x-tag" in sent.headers) is inside

    async def test_an_error_in_the_middleware_itself_is_answered_outside(self) -> None:
        class Failing(Tagging):
            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                raise Broken

        app = Starlette(middleware=[Middleware(Failing, "a")], error_responses_inside_middleware=True)

        assert (await http(app).get("/")).text == "Internal Server Error"

    async def test_an_error_after_the_response_began_is_raised_without_a_second_response(self) -> None:
        async def stream() -> Any:
            yield b"one"
            raise Broken

        async def endpoint(request: Request) -> Response:
            return StreamingResponse(stream())

        app = Starlette(routes=[Route("/", endpoint)], error_responses_inside_middleware=True)

        sent = Sent()
        with pytest.raises(Broken):
            await app(http_scope(), body_of(b""), sent)
        assert [message["type"] for message in sent.messages] == ["http.response.start", "http.response.body"]

    async def test_without_debug_nothing_of_the_error_is_shown(self) -> None:
        response = await http(Starlette(routes=[Route("/", fail)])).get("/", headers={"accept": "text/html"})

        assert response.text == "Internal Server Error"

    async def test_debug_pages_escape_what_they_show(self) -> None:
        async def fail_with_markup(request: Request) -> Response:
            raise Broken("<script>alert(1)</script>")

        app = Starlette(debug=True, routes=[Route("/", fail_with_markup)])

        page = await http(app).get("/", headers={"accept": "text/html"})
        text = await http(app).get("/", headers={"accept": "*/*"})

        assert "&lt;script&gt;" in page.text
        assert "<script>" not in page.text
        assert "raise Broken(" in page.text
        assert text.headers["content-type"].startswith("text/plain")
        assert "Traceback" in text.text


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


class TestMiddlewareOrder:
    async def test_the_first_in_the_list_is_the_outermost_and_the_last_added_goes_around_all(self) -> None:
        app = Starlette(
            routes=[Mount("/m", routes=[Route("/", say_ok, middleware=[tag("route")])], middleware=[tag("mount")])],
            middleware=[tag("first"), tag("second")],
        )
        app.add_middleware(Tagging, "added")

        response = await http(app).get("/m/")

        assert response.headers.get_list("x-tag") == ["route", "mount", "second", "first", "added"]

    async def test_middleware_cannot_be_added_to_a_running_application(self) -> None:
        app = Starlette()
        await http(app).get("/")

        with pytest.raises(RuntimeError, match="after an application has started"):
            app.add_middleware(Tagging, "late")

    async def test_an_error_that_a_route_handles_passes_through_the_routes_own_middleware(self) -> None:
        async def endpoint(request: Request) -> Response:
            raise HTTPException(403)

        app = Starlette(routes=[Route("/", endpoint, middleware=[tag("route")])])

        response = await http(app).get("/")

        assert (response.status_code, response.headers["x-tag"]) == (403, "route")


class TestBodyLimit:
    @pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 413)])
    async def test_a_body_over_the_limit_is_refused(self, size: int, status: int) -> None:
        app = Starlette(routes=[Route("/", read, methods=["POST"])], max_body_size=10)

        announced = await http(app).post("/", content=b"x" * size)
        sent = Sent()
        await app(http_scope("POST"), body_of(b"x" * 5, b"x" * (size - 5)), sent)

        assert (announced.status_code, sent.status) == (status, status)

    async def test_413_is_answered_by_the_applications_handler(self) -> None:
        async def too_large(request: Request, error: Exception) -> Response:
            return PlainTextResponse("too large for us", status_code=413)

        app = Starlette(
            routes=[Route("/", read, methods=["POST"])], max_body_size=1, exception_handlers={413: too_large}
        )

        assert (await http(app).post("/", content=b"xx")).text == "too large for us"

    async def test_a_body_that_nobody_reads_is_refused_by_its_announced_size(self) -> None:
        app = Starlette(routes=[Route("/", say_ok, methods=["POST"])], middleware=[tag("kept")], max_body_size=1)

        response = await http(app).post("/", content=b"xx")

        assert (response.status_code, response.text) == (413, "Content Too Large")
        assert response.headers["x-tag"] == "kept"

    async def test_a_route_raises_or_lowers_the_limit_for_itself(self) -> None:
        app = Starlette(
            routes=[
                Route("/large", read, methods=["POST"], max_body_size=20),
                Route("/small", read, methods=["POST"], max_body_size=5),
                Mount("/m", routes=[Route("/", read, methods=["POST"], max_body_size=20)], max_body_size=5),
            ],
            max_body_size=10,
        )

        statuses = [(await http(app).post(path, content=b"x" * 15)).status_code for path in ("/large", "/small", "/m/")]
        small = await http(app).post("/small", content=b"x" * 7)

        assert statuses == [200, 413, 200]
        assert small.status_code == 413


class TestRestOfTheApplication:
    async def test_the_inner_application_is_the_one_named_in_the_scope(self) -> None:
        async def name_app(request: Request) -> Response:
            return PlainTextResponse(request.app.state.name)

        inner, outer = Starlette(routes=[Route("/", name_app)]), Starlette()
        inner.state.name, outer.state.name = "inner", "outer"
        outer.mount("/m", inner)

        assert (await http(outer).get("/m/")).text == "inner"

    async def test_routes_given_as_a_list_are_copied(self) -> None:
        routes = [Route("/a", say_ok)]
        app = Starlette(routes=routes)
        routes.clear()

        assert (await http(app).get("/a")).status_code == 200

    async def test_background_work_runs_after_the_response(self) -> None:
        events: list[str] = []

        async def endpoint(request: Request) -> Response:
            return PlainTextResponse("ok", background=BackgroundTask(events.append, "background"))

        async def send(message: Message) -> None:
            events.append(message["type"])

        app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(PassThrough)])
        await app(http_scope(), body_of(b""), send)

        assert events[-2:] == ["http.response.body", "background"]


class PassThrough(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        return response


def tag(text: str) -> Middleware:
    return Middleware(Tagging, text)


async def say_ok(request: Request) -> Response:
    return PlainTextResponse("ok")


async def read(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))
