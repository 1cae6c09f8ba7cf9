"""A router with a route of every kind, and what any path must find in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from core._utils import get_route_path
from core.routing import BaseRoute, Match, Mount, Route, Router
from core.types import Message, Receive, Scope, Send


class Endpoint:
    """Remembers what it was called with."""

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.params = scope["path_params"]
        await send({"type": "http.response.start", "status": 200, "headers": []})


ENDPOINT = Endpoint()
PATHS = (
    "/", "/a", "/a/", "/a/{x}", "/a/{x:int}/b", "/a/{x:float}/b", "/{x:uuid}", "/{x:int}", "/v{x:int}.{y}", "/{x}-{y}",
    "/files/{x:path}", "/{x:path}/end", "/a/{x}/{y}/{z}",
)  # fmt: skip
ROUTES: list[BaseRoute] = [
    *(Route(path, ENDPOINT, methods=["POST"], name=path) for path in PATHS),
    *(Route(path, ENDPOINT, name=path) for path in PATHS[1:9]),
    Mount("/m/{x}", routes=[Route("/{y}", ENDPOINT)]),
]
ROUTER = Router(ROUTES)


def ask_each(scope: Scope) -> tuple[Match, BaseRoute | None, dict[str, Any] | None]:
    partial = None
    for route in ROUTES:
        match, child_scope = route.matches(scope)
        if match is Match.FULL:
            return match, route, child_scope["path_params"]
        partial = partial or (match is Match.PARTIAL)
    return (Match.PARTIAL if partial else Match.NONE), None, None


def scope_of(path: str) -> Scope:
    return {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "root_path": ""}


async def check_routing(path: str) -> None:
    """The index finds what asking each route finds, and the address of what it found leads there again."""
    expected, route, params = ask_each(scope_of(path))
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    ENDPOINT.params = None
    scope = scope_of(path)
    await ROUTER(scope, None, send)  # type: ignore[arg-type]  # no body is read
    if isinstance(route, Mount):
        assert scope["endpoint"] in (ENDPOINT, route.app)
    elif route is not None:
        assert ENDPOINT.params == params
        assert scope["route"] is route
        check_address(route, params)
    else:
        assert sent[0]["status"] == 405 if expected is Match.PARTIAL else sent[0]["status"] in (307, 404)
        check_redirect(dict(sent[0]["headers"]).get(b"location", b"/"))


def check_redirect(location: bytes) -> None:
    assert location[:1] == b"/"
    assert location[:2] not in (b"//", b"/\\")


def check_address(route: BaseRoute, params: dict[str, Any] | None) -> None:
    assert isinstance(route, Route)
    address = unquote(route.url_path_for(route.name, **(params or {})))
    match, child_scope = route.matches(scope_of(address))
    assert match is Match.FULL
    assert child_scope["path_params"] == params
    assert get_route_path(scope_of(address)) == address
