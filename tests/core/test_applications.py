"""The stack around the router, and the state of an application."""

from typing import Any

import pytest

from core.applications import Starlette
from core.background import BackgroundTask
from core.exceptions import HTTPException
from core.middleware import Middleware
from core.middleware.base import BaseHTTPMiddleware
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import Mount, Route
from core.types import Message
from tests.core.connections import body_of, http_scope
from tests.core.middleware.tagging import Tagging, http, say_ok, tag


class PassThrough(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        return response


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
