"""Which route answers which address, and the address of each route."""

import functools
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest

from core.applications import Starlette
from core.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from core.exceptions import StarletteDeprecationWarning
from core.middleware import Middleware
from core.middleware.gzip import GZipMiddleware
from core.params import InvalidSignature, Query
from core.requests import Request
from core.responses import JSONResponse, PlainTextResponse, Response
from core.routing import (
    BaseRoute,
    Host,
    Match,
    Mount,
    NoMatchFound,
    Route,
    Router,
    WebSocketRoute,
    compile_path,
    replace_params,
)
from core.testclient import AsyncTestClient, TestClient
from core.types import Receive, Scope, Send
from core.websockets import WebSocket
from tests.core.connections import Sent, body_of, http_scope


async def show(request: Request) -> Response:
    return JSONResponse({"path": request.url.path, "params": {k: str(v) for k, v in request.path_params.items()}})


async def change(request: Request) -> Response:
    return PlainTextResponse("changed")


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.url.path)
    await websocket.close()


def client(*routes: BaseRoute, **options: Any) -> AsyncTestClient:
    return AsyncTestClient(Starlette(routes=routes, **options), follow_redirects=False)


def named(text: str) -> Any:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(text)

    return endpoint


async def answer(router: Router | Starlette, path: str, method: str = "GET", **more: Any) -> Sent:
    sent = Sent()
    await router(http_scope(method, path, **more), body_of(b""), sent)
    return sent


class TestMatching:
    async def test_the_first_registered_of_two_matching_routes_answers(self) -> None:
        http = client(Route("/users/{name}", named("parameter")), Route("/users/me", named("static")))

        assert (await http.get("/users/me")).text == "parameter"

    async def test_a_static_route_registered_before_a_parameter_answers_its_own_path(self) -> None:
        http = client(Route("/users/me", named("static")), Route("/users/{name}", named("parameter")))

        assert (await http.get("/users/me")).text == "static"
        assert (await http.get("/users/you")).text == "parameter"

    async def test_a_mount_registered_first_hides_the_routes_below_it(self) -> None:
        http = client(Mount("/m", routes=[Route("/a", named("inside"))]), Route("/m/a", named("outside")))

        assert (await http.get("/m/a")).text == "inside"

    async def test_a_line_break_in_the_path_does_not_lead_around_a_mount(self) -> None:
        http = client(Mount("/m", routes=[Route("/{x}", named("inside"))]), Route("/{x}/{y}", named("outside")))

        assert (await http.get("/m/a%0A")).text == "inside"

    async def test_a_route_registered_before_a_mount_is_not_hidden_by_it(self) -> None:
        http = client(Route("/m/a", named("outside")), Mount("/m", routes=[Route("/a", named("inside"))]))

        assert (await http.get("/m/a")).text == "outside"

    async def test_cve_django_2021_32052_a_path_with_a_final_newline_is_another_path(self) -> None:
        """`$` also matches before a final newline, which lets "/admin%0A" past checks of the path."""
        http = client(Route("/admin", show), Route("/users/{id:int}", show))

        assert (await http.get("/admin%0A")).status_code == 404
        assert (await http.get("/users/1%0A")).status_code == 404
        assert Route("/admin", show).matches(http_scope(path="/admin\n"))[0] is Match.NONE

    async def test_a_number_too_long_to_convert_is_not_found(self) -> None:
        http = client(Route("/items/{id:int}", show), Route("/v{id:int}/items", show))

        assert (await http.get(f"/items/{'9' * 5000}")).status_code == 404
        assert (await http.get(f"/v{'9' * 5000}/items")).status_code == 404

    async def test_parameters_arrive_converted(self) -> None:
        found: dict[str, Any] = {}

        async def keep(request: Request) -> Response:
            found.update(request.path_params)
            return Response()

        identifier = uuid.uuid4()
        http = client(Route("/{a:int}/{b:float}/{c:uuid}/{d}/{e:path}", keep), Route("/{a:int}/{c:uuid}/{d}", keep))

        await http.get(f"/1/2.5/{identifier}/text/rest/of/path")
        assert found == {"a": 1, "b": 2.5, "c": identifier, "d": "text", "e": "rest/of/path"}

        found.clear()
        await http.get(f"/1/{identifier}/text")
        assert found == {"a": 1, "c": identifier, "d": "text"}

    async def test_a_segment_may_hold_text_beside_its_parameter(self) -> None:
        http = client(Route("/v{n:int}/{user}:disable", show))

        assert (await http.get("/v2/ada:disable")).json()["params"] == {"n": "2", "user": "ada"}
        assert (await http.get("/v2/ada:enable")).status_code == 404

    async def test_an_empty_segment_fills_no_parameter(self) -> None:
        http = client(Route("/a/{name}/b", show))

        assert (await http.get("/a//b")).status_code == 404

    async def test_parameters_of_mounts_and_routes_are_merged(self) -> None:
        http = client(Mount("/o/{slug}", routes=[Route("/members/{id:int}", show)]))

        response = await http.get("/o/acme/members/7")

        assert response.json() == {"path": "/o/acme/members/7", "params": {"slug": "acme", "id": "7"}}

    async def test_a_registered_convertor_may_reach_over_slashes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class PairConvertor(Convertor[list[str]]):
            regex = "[a-z]+/([a-z]+)"

            def convert(self, value: str) -> list[str]:
                return value.split("/")

            def to_string(self, value: list[str]) -> str:
                return "/".join(value)

        monkeypatch.setitem(CONVERTOR_TYPES, "pair", CONVERTOR_TYPES["path"])
        register_url_convertor("pair", PairConvertor())
        http = client(Route("/x/{both:pair}", show))

        assert (await http.get("/x/a/b")).json()["params"] == {"both": "['a', 'b']"}
        assert (await http.get("/x/a")).status_code == 404

    def test_a_websocket_and_a_page_may_share_a_path(self) -> None:
        http = TestClient(Starlette(routes=[Route("/same", named("page")), WebSocketRoute("/same", chat)]))

        with http.websocket_connect("/same") as session:
            assert session.receive_text() == "/same"
        assert http.get("/same").text == "page"

    async def test_a_route_class_with_its_own_matches_is_asked_in_its_turn(self) -> None:
        class OnlyOnFridays(Route):
            def matches(self, scope: Scope) -> tuple[Match, Scope]:
                friday = (b"x-day", b"friday") in scope["headers"]
                return super().matches(scope) if friday else (Match.NONE, {})

        http = client(OnlyOnFridays("/", named("friday")), Route("/", named("other")))

        assert (await http.get("/", headers={"x-day": "friday"})).text == "friday"
        assert (await http.get("/")).text == "other"

    async def test_the_root_path_is_taken_off_only_at_a_segment(self) -> None:
        router = Router([Route("/bar", named("bar")), Route("/foo-123", named("whole"))])

        assert (await answer(router, "/foo/bar", root_path="/foo")).body == b"bar"
        assert (await answer(router, "/foo-123", root_path="/foo")).body == b"whole"

    async def test_a_mounted_application_sees_the_path_whole_and_the_root_path_grown(self) -> None:
        seen: list[Scope] = []

        async def keep(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope)
            await Response()(scope, receive, send)

        await client(Mount("/a", routes=[Mount("/b", app=keep)])).get("/a/b/c")

        assert (seen[0]["path"], seen[0]["root_path"], seen[0]["app_root_path"]) == ("/a/b/c", "/a/b", "")

    async def test_the_scope_names_the_innermost_route_and_the_outermost_router(self) -> None:
        seen: list[Scope] = []

        async def keep(request: Request) -> Response:
            seen.append(request.scope)
            return Response()

        route = Route("/a", keep)
        app = Starlette(routes=[Mount("/m", routes=[route])])
        await AsyncTestClient(app).get("/m/a")

        assert seen[0]["route"] is route
        assert seen[0]["endpoint"] is keep
        assert seen[0]["router"] is app.router

    async def test_a_hundred_thousand_slashes_are_refused_quickly(self) -> None:
        http = Router([Route("/{a}/{b}/{c}", show), Route("/{a}/x/{c}", show)])

        assert (await answer(http, "/" * 100_000)).status == 404


class TestChangingRoutes:
    async def test_every_way_of_changing_the_list_is_noticed(self) -> None:
        app = Starlette(routes=[Route("/a", named("a"))])
        http = AsyncTestClient(app)
        b, c = Route("/b", named("b")), Route("/c", named("c"))

        async def found() -> str:
            return "".join([path for path in "abc" if (await http.get(f"/{path}")).status_code == 200])

        assert await found() == "a"
        app.routes.append(b)
        assert await found() == "ab"
        app.routes.insert(0, c)
        assert await found() == "abc"
        app.routes.remove(b)
        assert await found() == "ac"
        app.routes[0] = b
        assert await found() == "ab"
        del app.routes[0]
        assert await found() == "a"
        app.routes.extend([b, c])
        assert await found() == "abc"
        app.routes.pop()
        assert await found() == "ab"
        app.router.routes += [c]
        assert await found() == "abc"
        app.routes[:] = [b]
        assert await found() == "b"
        app.routes.__imul__(2)
        assert await found() == "b"
        app.routes.clear()
        assert await found() == ""
        app.router.routes = [c]
        assert await found() == "c"

    async def test_reordering_changes_which_route_is_first(self) -> None:
        app = Starlette(routes=[Route("/", named("first")), Route("/", named("second"))])
        http = AsyncTestClient(app)
        assert (await http.get("/")).text == "first"

        app.routes.reverse()
        assert (await http.get("/")).text == "second"

        now_first = app.routes[0]
        app.routes.sort(key=lambda route: route is now_first)
        assert (await http.get("/")).text == "first"


class TestMethods:
    async def test_allow_names_the_methods_of_all_routes_of_the_path_in_one_order(self) -> None:
        http = client(
            Route("/a", change, methods=["DELETE", "post"]), Route("/a", show), Route("/{any}", change, methods=["PUT"])
        )

        response = await http.patch("/a")

        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD, POST, PUT, DELETE"

    async def test_allow_lists_unusual_methods_after_the_usual_ones(self) -> None:
        http = client(Route("/", change, methods=["PURGE", "GET", "BAN"]))

        assert (await http.post("/")).headers["allow"] == "GET, HEAD, BAN, PURGE"

    async def test_a_later_route_with_the_right_method_wins_over_an_earlier_path(self) -> None:
        http = client(Route("/a", show), Route("/a", change, methods=["POST"]))

        assert (await http.post("/a")).text == "changed"

    async def test_options_is_not_answered_by_itself(self) -> None:
        assert (await client(Route("/", show)).options("/")).status_code == 405

    async def test_options_can_be_answered_from_the_methods_of_the_path(self) -> None:
        routes = [Route("/", show), Route("/", change, methods=["POST"]), Route("/own", change, methods=["OPTIONS"])]
        router = Router(routes, automatic_options=True)

        automatic = await answer(router, "/", "OPTIONS")

        assert (automatic.status, automatic.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")
        assert (await answer(router, "/own", "OPTIONS")).body == b"changed"
        assert (await answer(router, "/missing", "OPTIONS")).status == 404

    async def test_an_application_as_endpoint_answers_every_method(self) -> None:
        assert (await client(Route("/", PlainTextResponse("app"))).delete("/")).text == "app"

    async def test_a_router_without_application_answers_in_plain_text(self) -> None:
        router = Router([Route("/", show)])

        assert (await answer(router, "/", "POST")).status == 405
        assert (await answer(router, "/x")).body == b"Not Found"


class TestSlashes:
    @pytest.mark.parametrize(
        ("path", "location"),
        [
            ("/with", "/with/"),
            ("/without/", "/without"),
            ("/without//", "/without"),
            ("/with?a=b%20c&d", "/with/?a=b%20c&d"),
            ("/m", "/m/"),
        ],
    )
    async def test_the_other_slash_form_is_redirected_to_relatively(self, path: str, location: str) -> None:
        """An absolute Location would name the internal host and scheme behind a proxy."""
        http = client(Route("/with/", show), Route("/without", show), Mount("/m", routes=[Route("/", show)]))

        response = await http.get(path)

        assert response.status_code == 307
        assert response.headers["location"] == location

    async def test_cve_werkzeug_2020_28724_a_redirect_never_leads_to_another_host(self) -> None:
        router = Router([Route("/{a}/{b}/", show), Mount("/", routes=[Route("/{path:path}/", show)])])

        for path in ("//evil.example", "//evil.example/..", "/\\evil.example", "///evil.example", "/\ud800"):
            sent = await answer(router, path)
            location = sent.headers.get("location", "/")
            assert location.startswith("/")
            assert not location.startswith(("//", "/\\"))

    async def test_special_characters_of_the_path_stay_in_the_path(self) -> None:
        sent = await answer(Router([Route("/{name}/", show)]), "/a?b#c%\r\nx")

        assert sent.headers["location"] == "/a%3Fb%23c%25%0D%0Ax/"

    async def test_the_path_under_a_root_path_keeps_it(self) -> None:
        sent = await answer(Router([Route("/a/", show)]), "/prefix/a", root_path="/prefix")

        assert sent.headers["location"] == "/prefix/a/"

    async def test_redirects_can_be_switched_off(self) -> None:
        router = Router([Route("/a/", show)], redirect_slashes=False)

        assert (await answer(router, "/a")).status == 404

    async def test_a_path_that_exists_for_another_method_is_not_redirected(self) -> None:
        assert (await client(Route("/a", show), Route("/a/", show)).post("/a")).status_code == 405


class TestHosts:
    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ("api.example.org", 200),
            ("API.Example.ORG:8443", 200),
            ("api.example.org.evil.example", 404),
            ("api.example.org/", 404),
            ("api.example.org@evil.example", 404),
            ("", 404),
        ],
    )
    async def test_hosts_are_compared_without_case_and_port(self, header: str, status: int) -> None:
        http = client(Host("api.example.org", Router([Route("/", show)])))

        assert (await http.get("/", headers={"host": header})).status_code == status

    async def test_cve_aiohttp_2026_34525_two_hosts_match_no_host_route(self) -> None:
        route = Host("api.example.org", Router([Route("/", show)]))
        fields = [(b"host", b"api.example.org"), (b"host", b"www.example.org")]

        assert route.matches({**http_scope(), "headers": fields})[0] is Match.NONE

    async def test_a_part_of_the_host_may_be_a_parameter(self) -> None:
        http = client(Host("{tenant}.example.org", Router([Route("/", show)])))

        assert (await http.get("/", headers={"host": "Acme.example.org"})).json()["params"] == {"tenant": "acme"}

    async def test_the_address_of_a_hosted_route_has_the_host_and_its_port(self) -> None:
        app = Starlette(routes=[Host("{tenant}.example.org:3600", Router([Route("/a", show, name="a")]), name="api")])

        url = app.url_path_for("api:a", tenant="acme").make_absolute_url("https://example.org")

        assert str(url) == "https://acme.example.org:3600/a"


class TestReversing:
    def reverse(self, *routes: BaseRoute, name: str, **params: Any) -> str:
        return str(Router(routes).url_path_for(name, **params))

    @pytest.mark.parametrize(
        ("path", "params", "expected"),
        [
            ("/p/{v}", {"v": "a b?c%2F#"}, "/p/a%20b%3Fc%252F%23"),
            ("/p/{v}", {"v": "{v}{w}"}, "/p/{v}{w}"),
            ("/p/{v}", {"v": "é"}, "/p/%C3%A9"),
            ("/p/{v}/{w}", {"v": "{w}", "w": "x"}, "/p/{w}/x"),
            ("/f/{v:float}", {"v": 0.1}, "/f/0.1"),
            ("/f/{v:path}", {"v": "a/b c"}, "/f/a/b%20c"),
        ],
    )
    def test_parameters_are_percent_encoded_and_never_expanded_again(
        self, path: str, params: Mapping[str, Any], expected: str
    ) -> None:
        assert self.reverse(Route(path, show, name="x"), name="x", **params) == expected

    async def test_an_address_with_special_characters_leads_back_to_its_route(self) -> None:
        route = Route("/p/{v}", show, name="x")
        value = "50% of a/b? #{v}".replace("/", "")

        response = await client(route).get(self.reverse(route, name="x", v=value))

        assert response.json()["params"] == {"v": value}

    def test_mounted_routes_are_found_under_the_name_of_the_mount(self) -> None:
        mount = Mount("/o/{slug}", routes=[Route("/members/{id:int}", show, name="member")], name="organization")

        assert self.reverse(mount, name="organization:member", slug="acme", id=1) == "/o/acme/members/1"
        assert self.reverse(mount, name="organization", slug="acme", path="/logo.png") == "/o/acme/logo.png"

    def test_an_unnamed_mount_lends_only_its_path(self) -> None:
        mount = Mount("/o/{slug}", routes=[Route("/members", show, name="members")])

        assert self.reverse(mount, name="members", slug="acme") == "/o/acme/members"

    @pytest.mark.parametrize("params", [{}, {"id": 1, "more": 2}, {"other": 1}])
    def test_the_parameters_must_be_exactly_those_of_the_path(self, params: Mapping[str, Any]) -> None:
        with pytest.raises(NoMatchFound, match='name "x"'):
            self.reverse(Route("/{id:int}", show, name="x"), name="x", **params)

    def test_middleware_on_a_mount_does_not_hide_its_routes(self) -> None:
        mount = Mount("/m", routes=[Route("/a", show, name="a")], middleware=[Middleware(GZipMiddleware)])

        assert self.reverse(mount, name="a") == "/m/a"

    def test_the_first_of_two_routes_of_one_name_that_takes_the_parameters_counts(self) -> None:
        routes = [
            Route("/a/{id}", show, name="x"),
            Mount("/m", routes=[Route("/inside", show, name="x")]),
            Route("/b", show, name="x"),
        ]

        assert self.reverse(*routes, name="x") == "/m/inside"
        assert self.reverse(*routes, name="x", id=1) == "/a/1"

    def test_replace_params_returns_what_it_has_no_place_for(self) -> None:
        _, path_format, convertors = compile_path("/{a}/{b:int}")

        assert replace_params(path_format, convertors, {"a": "x", "b": 1, "c": 2}) == ("/x/1", {"c": 2})


class TestMistakes:
    def test_an_unknown_convertor_is_refused(self) -> None:
        with pytest.raises(AssertionError, match="Unknown path convertor 'color'"):
            Route("/{a:color}", show)

    def test_two_parameters_of_one_name_are_refused(self) -> None:
        with pytest.raises(ValueError, match="Duplicated param names a, b at path"):
            Route("/{a}/{b}/{a}/{b}", show)

    def test_a_path_without_a_slash_in_front_is_refused(self) -> None:
        with pytest.raises(AssertionError, match="must start with '/'"):
            Route("a", show)

    def test_a_mistake_in_a_signature_is_an_error_when_the_route_is_made(self) -> None:
        async def endpoint(request: Request, what: Any) -> Response:
            return Response()

        with pytest.raises(Exception, match="endpoint"):
            Route("/", endpoint)


class TestTypedHandlers:
    async def test_a_handler_that_declares_more_than_the_request_is_compiled(self) -> None:
        async def double(number: int, times: Annotated[int, Query()] = 2) -> Response:
            return PlainTextResponse(str(number * times))

        http = client(Route("/{number:int}", double))

        assert (await http.get("/4?times=3")).text == "12"

    def test_a_default_with_an_annotation_is_a_declaration_that_says_too_little(self) -> None:
        async def search(request: Request, page: int = 1) -> Response:
            raise AssertionError("it ran without what it declares")

        with pytest.raises(InvalidSignature) as refused:
            Route("/search", search)
        assert re.search(
            r"search \(/.*/tests/core/test_routing\.py:\d+\): parameter 'page' is neither", str(refused.value)
        )
        assert "`page: Annotated[int, Query()]`" in str(refused.value)

    async def test_a_default_without_an_annotation_is_what_the_function_was_made_with(self) -> None:
        async def show_kind(request, kind="boat"):  # type: ignore[no-untyped-def]
            return PlainTextResponse(kind)

        async def show_number(request: Request, number: int) -> Response:
            return PlainTextResponse(str(number))

        http = client(Route("/kind", show_kind), Route("/number", functools.partial(show_number, number=7)))

        assert [(await http.get(path)).text for path in ("/kind", "/number")] == ["boat", "7"]

    def test_plain_applications_never_import_pydantic(self) -> None:
        program = """
import sys
from core.applications import Starlette
from core.requests import Request
from core.responses import Response
from core.routing import Route

async def unannotated(request): return Response()
async def annotated(request: Request) -> Response: return Response()
async def with_option(request: "Request[int]", limit=10): return Response()

Starlette(routes=[Route("/a", unannotated), Route("/b", annotated), Route("/c", with_option)])
assert "pydantic" not in sys.modules
"""
        subprocess.run([sys.executable, "-c", program], check=True)


class TestLifespan:
    async def test_mounted_lifespans_start_after_and_stop_before_the_outer_one(self) -> None:
        events: list[str] = []

        def lifespan(name: str) -> Any:
            @asynccontextmanager
            async def context(app: object) -> AsyncIterator[dict[str, str]]:
                events.append(f"{name} starts")
                yield {name: name, "winner": name}
                events.append(f"{name} stops")

            return context

        inner = Starlette(lifespan=lifespan("inner"))
        middle = Starlette(routes=[Mount("/i", inner), Mount("/again", inner)], lifespan=lifespan("middle"))
        outer = Starlette(routes=[Mount("/m", middle)], lifespan=lifespan("outer"), mounted_lifespans=True)
        async with AsyncTestClient(outer) as http:
            state = dict(http.app_state)

        assert state == {"outer": "outer", "middle": "middle", "inner": "inner", "winner": "outer"}
        assert events == [
            "outer starts",
            "middle starts",
            "inner starts",
            "inner stops",
            "middle stops",
            "outer stops",
        ]

    async def test_a_mounted_application_that_fails_to_start_stops_those_that_have(self) -> None:
        events: list[str] = []

        @asynccontextmanager
        async def good(app: object) -> AsyncIterator[None]:
            try:
                yield
            finally:
                events.append("stopped")

        @asynccontextmanager
        async def bad(app: object) -> AsyncIterator[None]:
            raise LookupError("no database")
            yield

        app = Starlette(routes=[Mount("/m", Starlette(lifespan=bad))], lifespan=good, mounted_lifespans=True)

        with pytest.raises(LookupError, match="no database"):
            async with AsyncTestClient(app):
                pass
        assert events == ["stopped"]

    async def test_mounted_lifespans_stay_off_unless_asked_for(self) -> None:
        @asynccontextmanager
        async def never(app: object) -> AsyncIterator[None]:
            raise AssertionError
            yield

        async with AsyncTestClient(Starlette(routes=[Mount("/m", Starlette(lifespan=never))])):
            pass

    def test_generator_functions_still_work_and_warn_at_the_caller(self) -> None:
        async def lifespan(app: object) -> AsyncIterator[None]:
            yield

        with pytest.warns(StarletteDeprecationWarning) as warned:
            Router(lifespan=lifespan)  # type: ignore[arg-type]
        assert warned[0].filename == __file__


def test_the_name_of_a_mount_takes_the_path_and_nothing_else() -> None:
    router = Router([Mount("/files", app=PlainTextResponse("files"), name="files")])

    assert router.url_path_for("files", path="/a") == "/files/a"
    with pytest.raises(NoMatchFound):
        router.url_path_for("files", path="/a", version="2")
