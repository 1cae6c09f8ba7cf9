"""Routes without a router around them, and how they compare and show themselves."""

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from core._exception_handler import wrap_app_handling_exceptions
from core.applications import Starlette
from core.exceptions import HTTPException, StarletteDeprecationWarning
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import BaseRoute, Host, Mount, NoMatchFound, Route, Router, WebSocketRoute
from core.types import Receive, Scope, Send
from core.websockets import WebSocket
from tests.core.connections import Sent, answer, body_of, http_scope, messages_of, websocket_scope


async def show(request: Request) -> Response:
    return PlainTextResponse(request.url.path)


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("plain")(scope, receive, send)


class TestAsApplications:
    async def test_a_route_answers_404_and_405_by_itself(self) -> None:
        route = Route("/a", show)

        assert (await answer(route, http_scope(path="/a"))).body == b"/a"
        assert (await answer(route, http_scope(path="/b"))).status == 404
        refused = await answer(route, http_scope("POST", "/a"))
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")

    async def test_a_websocket_elsewhere_is_closed(self) -> None:
        sent = await answer(WebSocketRoute("/a", chat), websocket_scope("/b"), messages_of())
        assert [message["type"] for message in sent.messages] == ["websocket.close"]

    async def test_a_mount_and_a_host_hand_over(self) -> None:
        assert (await answer(Mount("/m", plain), http_scope(path="/m/a"))).body == b"plain"
        headers = {"host": "a.example"}
        assert (await answer(Host("a.example", plain), http_scope(headers=headers))).body == b"plain"

    async def test_neither_matches_the_lifespan(self) -> None:
        for route in (Mount("/", plain), Host("a.example", plain)):
            match, child_scope = route.matches({"type": "lifespan"})
            assert (match.name, child_scope) == ("NONE", {})


class TestConstruction:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: Mount("/m"), "Either 'app=...'"),
            (lambda: Mount("m", plain), "start with '/'"),
            (lambda: Host("/a", plain), "must not start with '/'"),
        ],
    )
    def test_a_mistake_is_named(self, make: Any, message: str) -> None:
        with pytest.raises(AssertionError, match=message):
            make()

    def test_routes_are_equal_by_what_they_do(self) -> None:
        pairs: list[tuple[BaseRoute | Router, BaseRoute | Router, BaseRoute | Router]] = [
            (Route("/a", show), Route("/a", show, name="other"), Route("/a", show, methods=["POST"])),
            (WebSocketRoute("/a", chat), WebSocketRoute("/a", chat), Route("/a", show)),
            (Mount("/m", plain), Mount("/m", plain), Mount("/n", plain)),
            (Host("a", plain), Host("a", plain), Host("b", plain)),
            (Router([Route("/a", show)]), Router([Route("/a", show)]), Router()),
        ]
        for one, same, other in pairs:
            assert one == same
            assert one != other

    def test_routes_show_what_they_are(self) -> None:
        assert repr(Route("/a", show)) == "Route(path='/a', name='show', methods=['GET', 'HEAD'])"
        assert repr(WebSocketRoute("/a", chat)) == "WebSocketRoute(path='/a', name='chat')"
        assert repr(Mount("/m", plain)).startswith("Mount(path='/m', name='', app=<function plain")
        assert repr(Host("a", plain, name="h")).startswith("Host(host='a', name='h', app=<function plain")

    async def test_routes_may_be_added_one_by_one(self) -> None:
        app = Starlette()
        app.mount("/m", plain)
        app.host("a.example", plain, name="h")
        app.add_route("/a", show, methods=["POST"])
        app.router.add_websocket_route("/w", chat)
        app.add_exception_handler(404, lambda request, error: PlainTextResponse("gone", status_code=404))

        assert [type(route) for route in app.routes] == [Mount, Host, Route, WebSocketRoute]
        assert (await answer(app, http_scope("POST", "/a"))).body == b"/a"
        assert (await answer(app, http_scope(path="/nothing"))).body == b"gone"

    async def test_a_bound_or_partial_function_is_an_endpoint(self) -> None:
        async def greet(request: Request, word: str = "hello") -> Response:
            return PlainTextResponse(word)

        for endpoint in (functools.partial(greet, word="hi"), functools.partial(functools.partial(greet), word="hi")):
            assert (await answer(Route("/", endpoint, name="greet"), http_scope())).body == b"hi"


class TestAddresses:
    def test_an_application_that_is_no_router_is_asked_route_by_route(self) -> None:
        class Elsewhere:
            routes = (Route("/a", show, name="a"), Route("/b", show, name="b"))
            __call__ = staticmethod(plain)

        assert Mount("/m", Elsewhere(), name="m").url_path_for("m:b") == "/m/b"
        with pytest.raises(NoMatchFound):
            Mount("/m", Elsewhere(), name="m").url_path_for("m:c")
        with pytest.raises(NoMatchFound):
            Mount("/m", plain).url_path_for("b")

    def test_a_host_has_an_address_too(self) -> None:
        host = Host("{name}.example", Router([Route("/b", show, name="b")]), name="h")
        address = host.url_path_for("h", name="a", path="/x y")
        assert (address, address.host) == ("/x%20y", "a.example")
        with pytest.raises(NoMatchFound):
            host.url_path_for("h:c", name="a")


class TestLifespan:
    async def test_a_generator_function_that_does_not_wait_still_works(self) -> None:
        events: list[str] = []

        def lifespan(app: object) -> Iterator[dict[str, int]]:
            events.append("started")
            yield {"a": 1}
            events.append("stopped")

        with pytest.warns(StarletteDeprecationWarning):
            app = Starlette(lifespan=lifespan)  # type: ignore[arg-type]  # what is deprecated is no longer declared
        scope: Scope = {"type": "lifespan", "state": {}}
        sent = Sent()
        await app(scope, messages_of({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}), sent)

        assert [message["type"] for message in sent.messages] == [
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
        ]
        assert (events, scope["state"]) == (["started", "stopped"], {"a": 1})

        with pytest.raises(RuntimeError, match="does not support"):
            await app({"type": "lifespan"}, messages_of({"type": "lifespan.startup"}), sent)
        assert sent.messages[-1]["type"] == "lifespan.startup.failed"


async def test_an_application_can_be_wrapped_in_the_handlers_of_a_scope() -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        raise scope["error"]

    async def handle(request: Request, error: Exception) -> Response:
        return PlainTextResponse("handled", status_code=418)

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        await wrap_app_handling_exceptions(refuse, Request(scope))(scope, receive, send)

    app = Starlette(routes=[Mount("/", outer)], exception_handlers={HTTPException: handle})
    assert (await answer(app, http_scope(error=HTTPException(400)), body_of(b""))).status == 418
    with pytest.raises(LookupError):
        await answer(app, http_scope(error=LookupError()), body_of(b""))
