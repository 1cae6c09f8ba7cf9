"""Errors that nobody handles: what people see, what the server logs, and which headers they carry."""

from typing import Any

import pytest

from core.applications import Starlette
from core.middleware import Middleware
from core.middleware.cors import CORSMiddleware
from core.middleware.gzip import GZipMiddleware
from core.middleware.requestid import RequestIdMiddleware
from core.requests import Request
from core.responses import JSONResponse, Response, StreamingResponse
from core.routing import Route
from core.types import Receive, Scope, Send
from tests.core.connections import Sent, body_of, http_scope
from tests.core.middleware.tagging import Broken, Tagging, fail, http


async def say_sorry(request: Request, error: Exception) -> Response:
    return JSONResponse({"sorry": type(error).__name__}, status_code=500)


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


async def test_the_page_for_developers_shows_frames_without_source() -> None:
    program: dict[str, Any] = {}
    exec("async def fail(request): raise RuntimeError('without source')", program)  # noqa: S102
    app = Starlette(debug=True, routes=[Route("/", program["fail"])])

    page = (await http(app).get("/", headers={"accept": "text/html"})).text

    assert "RuntimeError: without source" in page
    assert "<code>&lt;string&gt;</code>" in page
