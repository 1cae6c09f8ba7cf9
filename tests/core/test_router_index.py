"""The index finds exactly what asking one route after the other finds."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core._router_index import RouterIndex, ordered_methods
from core._utils import get_route_path
from core.requests import Request
from core.responses import Response
from core.routing import BaseRoute, Match, Mount, Route, Router, WebSocketRoute
from core.types import Scope
from tests.core.connections import answer, http_scope

SEGMENTS = ["a", "b", "", "{x}", "{x:int}", "{x:float}", "v{x}", "{x}-{y}", "1"]
METHODS = [["GET"], ["POST"], ["GET", "POST"], ["PUT"]]


async def endpoint(request: Request) -> Response:
    return Response()


def unique_names(path: str) -> str:
    """The path with its parameters numbered, because two may not share a name."""
    parts = path.split("{")
    return "".join([parts[0], *(f"{{p{number}{part[1:]}" for number, part in enumerate(parts[1:]))])


paths = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map(
    lambda parts: unique_names("/" + "/".join(parts))
)
routes = st.one_of(
    st.builds(lambda path, methods: Route(path, endpoint, methods=methods), paths, st.sampled_from(METHODS)),
    st.builds(lambda path: Route(path + "/{rest:path}", endpoint), paths),
    st.builds(lambda path: Mount(path, routes=[]), paths),
)
requested = st.lists(st.sampled_from(["a", "b", "", "1", "2.5", "v1", "a-b", "z"]), min_size=1, max_size=4)


def ask_each(routes: list[BaseRoute], scope: Scope) -> tuple[Match, BaseRoute | None, Any, set[str]]:
    partial: tuple[BaseRoute, Scope] | None = None
    allowed: set[str] = set()
    for route in routes:
        match, child_scope = route.matches(scope)
        if match is Match.FULL:
            return match, route, child_scope, set()
        if match is Match.PARTIAL:
            partial = partial or (route, child_scope)
            allowed |= getattr(route, "methods", None) or set()
    return (Match.PARTIAL, *partial, allowed) if partial else (Match.NONE, None, {}, allowed)


@settings(max_examples=400, deadline=None)
@given(st.lists(routes, max_size=12), requested, st.sampled_from(["GET", "POST", "DELETE"]))
def test_the_index_agrees_with_asking_each_route(routes: list[BaseRoute], parts: list[str], method: str) -> None:
    scope = http_scope(method, "/" + "/".join(parts))
    asked = dict(scope)
    expected_match, expected_route, expected_scope, allowed = ask_each(routes, scope)

    index = RouterIndex(routes, (Route, WebSocketRoute, Mount))
    direct: Any = index.direct.get(get_route_path(scope))
    route, _, found_methods = index.find(scope, get_route_path(scope))

    assert route is expected_route
    assert scope == {**asked, **expected_scope}
    assert direct is None or method not in direct.methods or direct is expected_route
    assert found_methods == (allowed if expected_match is Match.PARTIAL else None)


def test_methods_have_one_order_whatever_set_they_come_from() -> None:
    assert ordered_methods({"PURGE", "DELETE", "GET", "HEAD", "BAN"}) == ["GET", "HEAD", "DELETE", "BAN", "PURGE"]


def test_an_endpoint_matches_no_connection_of_another_kind() -> None:
    # The scope of a lifespan has no path to compare.
    for route in (Route("/", endpoint), WebSocketRoute("/", endpoint)):
        assert route.matches({"type": "lifespan"}) == (Match.NONE, {})


async def test_a_route_whose_pattern_was_replaced_is_asked_by_that_pattern() -> None:
    route = Route("/Logs", endpoint)
    route.path_regex = re.compile(route.path_regex.pattern, re.IGNORECASE)

    assert (await answer(Router([route]), http_scope(path="/logs"))).status == 200


async def test_a_handler_that_changes_its_path_parameters_changes_nobody_elses() -> None:
    async def forget(request: Request) -> Response:
        return Response(str(request.path_params.pop("name")))

    router = Router([Route("/{name}", forget)])

    assert [(await answer(router, http_scope(path="/ada"))).body for _ in range(2)] == [b"ada", b"ada"]


async def test_a_path_too_long_to_be_remembered_is_found_as_well() -> None:
    router = Router([Route("/{name}", endpoint)])

    assert (await answer(router, http_scope(path="/" + "a" * 1000))).status == 200
