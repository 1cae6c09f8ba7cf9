"""Dependencies of routes, mounts, routers and applications: what runs before a handler that does not ask for it."""

import functools
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from core.applications import Starlette
from core.endpoints import HTTPEndpoint, WebSocketEndpoint
from core.exceptions import HTTPException
from core.openapi import openapi_document
from core.params import Depends, Header, InvalidSignature, Path, Query, dependencies_of, depends_on
from core.requests import HTTPConnection, Request
from core.responses import PlainTextResponse, Response
from core.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from core.staticfiles import StaticFiles
from core.testclient import AsyncTestClient, TestClient
from core.websockets import WebSocket, WebSocketDisconnect


class Step(Depends):
    """Notes its name for each connection that passes it."""

    def __init__(self, name: str) -> None:
        super().__init__(self.note)
        self.name = name
        self.openapi_security = {name: ()}

    async def note(self, connection: HTTPConnection) -> str:
        connection.scope.setdefault("steps", []).append(self.name)
        return self.name


OUTER, MIDDLE, INNER, OWN = (Step(name) for name in ("outer", "middle", "inner", "own"))


async def plain(request: Request) -> Response:
    return PlainTextResponse(" ".join(request.scope.get("steps", ())))


async def steps_of(app: Any, path: str = "/", **options: Any) -> str:
    async with AsyncTestClient(app) as client:
        return (await client.get(path, **options)).text


async def test_a_route_runs_its_dependencies_before_a_plain_handler() -> None:
    assert await steps_of(Starlette(routes=[Route("/", plain, dependencies=[OUTER, INNER])])) == "outer inner"


async def test_they_run_from_the_outermost_to_the_handlers_own() -> None:
    @depends_on(INNER)
    async def page(request: Request, own: Annotated[str, OWN]) -> Response:
        return await plain(request)

    route = Route("/", page, dependencies=[MIDDLE])
    app = Starlette(routes=[Mount("/m", routes=[route], dependencies=[Step("mount")])], dependencies=[OUTER])

    assert await steps_of(app, "/m/") == "outer mount middle inner own"
    assert [step.name for step in dependencies_of(page, behind=route.dependencies) if isinstance(step, Step)] == [
        *("outer", "mount", "middle", "inner", "own")
    ]


async def test_a_partial_of_a_handler_keeps_the_dependencies_of_the_handler() -> None:
    @depends_on(INNER)
    async def page(request: Request, title: str) -> Response:
        return await plain(request)

    titled = functools.partial(page, title="Exports")

    assert await steps_of(Starlette(routes=[Route("/", titled)])) == "inner"
    assert await steps_of(Starlette(routes=[Route("/", depends_on(OUTER)(titled))])) == "outer inner"


async def test_one_that_the_handler_asks_for_as_well_runs_once_and_has_one_result() -> None:
    async def page(request: Request, outer: Annotated[str, OUTER]) -> Response:
        return PlainTextResponse(f"{outer}: {len(request.scope['steps'])}")

    assert await steps_of(Starlette(routes=[Route("/", page)], dependencies=[OUTER, OUTER])) == "outer: 1"


@pytest.mark.parametrize(
    "within",
    [
        lambda routes: Router(routes, dependencies=[OUTER]),
        lambda routes: Starlette(routes=routes, dependencies=[OUTER]),
        lambda routes: Router([Mount("", routes=routes, dependencies=[OUTER])]),
        lambda routes: Router([Mount("", app=Router(routes), dependencies=[OUTER])]),
        lambda routes: Router([Mount("", app=Starlette(routes=routes), dependencies=[OUTER])]),
        lambda routes: Router([Host("testserver", Router(routes))], dependencies=[OUTER]),
    ],
)
async def test_a_router_runs_them_for_every_route_inside(within: Any) -> None:
    assert await steps_of(within([Route("/", plain), Route("/other", plain)]), "/other") == "outer"


async def test_routes_that_are_added_later_are_behind_them_too() -> None:
    inner = Router(dependencies=[INNER])
    app = Starlette(routes=[Mount("/m", inner)], dependencies=[OUTER])
    inner.routes.append(Route("/appended", plain))
    app.add_route("/added", plain)
    app.router.routes = [*app.routes, Route("/set", plain)]

    assert await steps_of(app, "/m/appended") == "outer inner"
    assert [await steps_of(app, path) for path in ("/added", "/set")] == ["outer", "outer"]


async def test_one_that_refuses_keeps_the_handler_from_running() -> None:
    async def require_key(x_key: Annotated[str, Header()] = "") -> None:
        if x_key != "right":
            raise HTTPException(401)

    app = Starlette(routes=[Route("/", plain)], dependencies=[Depends(require_key), OUTER])
    async with AsyncTestClient(app) as client:
        assert (await client.get("/")).status_code == 401
        assert (await client.get("/", headers={"x-key": "right"})).text == "outer"


async def test_its_bad_input_is_one_problem_with_the_handlers() -> None:
    async def find_page(page: Annotated[int, Query()]) -> None: ...

    async def search(size: Annotated[int, Query()]) -> Response:
        raise AssertionError("it ran with bad input")

    async with AsyncTestClient(Router([Route("/", search)], dependencies=[Depends(find_page)])) as client:
        problem = (await client.get("/?page=x&size=y")).json()
    assert [error["pointer"] for error in problem["errors"]] == ["#/page", "#/size"]


async def test_one_that_yields_is_finished_before_the_answer_is_sent() -> None:
    seen: list[str] = []

    async def transaction() -> AsyncIterator[None]:
        yield
        seen.append("committed")
        raise HTTPException(409)

    async with AsyncTestClient(Starlette(routes=[Route("/", plain)], dependencies=[Depends(transaction)])) as client:
        assert (await client.get("/")).status_code == 409
    assert seen == ["committed"]


async def test_it_can_be_replaced_in_a_test() -> None:
    async def refuse() -> None:
        raise HTTPException(403)

    app = Starlette(routes=[Route("/", plain)], dependencies=[Depends(refuse)])
    app.dependency_overrides[refuse] = lambda: None
    assert await steps_of(app) == ""


async def test_it_reads_the_path_of_the_mount_around() -> None:
    async def require_known(slug: Annotated[str, Path()]) -> None:
        if slug != "acme":
            raise HTTPException(404)

    app = Starlette(routes=[Mount("/o/{slug}", routes=[Route("/", plain)], dependencies=[Depends(require_known)])])
    async with AsyncTestClient(app) as client:
        assert [(await client.get(f"/o/{slug}/")).status_code for slug in ("acme", "other")] == [200, 404]


def test_a_websocket_is_behind_them_too() -> None:
    async def require_origin(origin: Annotated[str, Header()] = "") -> None:
        if origin != "https://example.com":
            raise HTTPException(403)

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.scope["steps"])
        await websocket.close()

    route = WebSocketRoute("/", echo, dependencies=[Depends(require_origin)])
    client = TestClient(Starlette(routes=[route], dependencies=[OUTER]))
    with client.websocket_connect("/", headers={"origin": "https://example.com"}) as session:
        assert session.receive_json() == ["outer"]
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass  # pragma: no cover


async def test_every_method_of_an_endpoint_class_is_behind_them() -> None:
    class Page(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            return await plain(request)

        async def put(self, request: Request, own: Annotated[str, OWN]) -> Response:
            return await plain(request)

    app = Starlette(routes=[Route("/", Page)], dependencies=[OUTER])
    async with AsyncTestClient(app) as client:
        answers = [(await client.request(method, "/")).text for method in ("GET", "PUT", "POST")]
    assert answers == ["outer", "outer own", "Method Not Allowed"]


def test_the_websocket_of_an_endpoint_class_is_behind_them_when_it_connects() -> None:
    class Echo(WebSocketEndpoint):
        encoding = "text"

        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            await websocket.send_json(websocket.scope["steps"])

    client = TestClient(Starlette(routes=[WebSocketRoute("/", Echo)], dependencies=[OUTER]))
    with client.websocket_connect("/") as session:
        for _ in range(2):
            session.send_text("")
            assert session.receive_json() == ["outer"]


class MadeByItself(Route):
    def __init__(self) -> None:
        self._set_path("/", plain, None)
        self.app = PlainTextResponse("")


class Unusual(BaseRoute):
    pass


class WithStaticMethod(HTTPEndpoint):
    get = staticmethod(plain)


class AnswersByItself(HTTPEndpoint):
    async def dispatch(self) -> None:
        """Looks at no method."""


@pytest.mark.parametrize(
    "route",
    [
        lambda: Route("/", AnswersByItself),
        lambda: Mount("/static", StaticFiles(directory=".")),
        lambda: Route("/", PlainTextResponse("")),
        lambda: Route("/", WithStaticMethod),
        MadeByItself,
        Unusual,
    ],
)
def test_what_could_not_run_them_is_refused_when_the_application_is_built(route: Any) -> None:
    assert Starlette(routes=[route()]).routes
    with pytest.raises(InvalidSignature, match="does not run the dependencies of its route"):
        Starlette(routes=[route()], dependencies=[OUTER])


def test_a_mistake_in_one_is_an_error_when_the_application_is_built() -> None:
    async def check(number: int) -> None: ...

    with pytest.raises(InvalidSignature, match=r"check.*parameter 'number' is neither the connection nor in the path"):
        Starlette(routes=[Route("/", plain)], dependencies=[Depends(check)])


def test_the_document_has_their_parameters_and_their_security() -> None:
    async def find_page(page: Annotated[int, Query()]) -> None: ...

    app = Starlette(routes=[Route("/", plain, dependencies=[INNER])], dependencies=[OUTER, Depends(find_page)])
    described = openapi_document(app.routes, title="", version="1")["paths"]["/"]["get"]
    assert described["security"] == [{"outer": [], "inner": []}]
    assert [parameter["name"] for parameter in described["parameters"]] == ["page"]
