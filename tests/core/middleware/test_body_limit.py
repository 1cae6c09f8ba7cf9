"""Bodies over the limit are refused, however they come."""

import pytest

from core.applications import Starlette
from core.middleware.body_limit import ContentTooLarge, RequestBodyLimitMiddleware
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import Mount, Route
from core.types import Receive, Scope, Send
from tests.core.connections import Sent, answer, body_of, http_scope
from tests.core.middleware.tagging import http, say_ok, tag


async def read(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


class TestBodyLimit:
    @pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 413)])
    @pytest.mark.requirement("LIM-2")
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

    async def test_cve_2026_53540_a_negative_length_does_not_raise_the_limit(self) -> None:
        app = Starlette(routes=[Route("/", read, methods=["POST"])], max_body_size=10)

        sent = Sent()
        await app(http_scope("POST", headers={"content-length": "-1"}), body_of(b"x" * 6, b"x" * 6), sent)

        assert sent.status == 413

    @pytest.mark.parametrize(("length", "status"), [("9" * 5000, 413), ("0" * 5000, 200), ("0" * 5000 + "1", 200)])
    async def test_a_length_of_thousands_of_digits_is_a_number_like_any_other(self, length: str, status: int) -> None:
        app = Starlette(routes=[Route("/", read, methods=["POST"])], max_body_size=10)

        sent = Sent()
        await app(http_scope("POST", headers={"content-length": length}), body_of(b"x"), sent)

        assert sent.status == status

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

    async def test_an_application_that_lets_the_refusal_pass_is_answered_for(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()

        sent = await answer(RequestBodyLimitMiddleware(app, 1), http_scope("POST"), body_of(b"xx"))

        assert (sent.status, sent.body) == (413, b"Content Too Large")

    async def test_a_refusal_after_the_response_began_reaches_the_server(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200})
            await receive()

        with pytest.raises(ContentTooLarge):
            await answer(RequestBodyLimitMiddleware(app, 1), http_scope("POST"), body_of(b"xx"))

    async def test_what_was_read_already_counts_against_a_lower_limit_further_inside(self) -> None:
        inner = RequestBodyLimitMiddleware(PlainTextResponse("ok"), 1)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await inner(scope, receive, send)

        sent = await answer(RequestBodyLimitMiddleware(app, 10), http_scope("POST"), body_of(b"xx"))

        assert sent.status == 413
