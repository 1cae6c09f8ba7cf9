"""FastAPI on core: the application as a whole, and what is around it."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.httpsredirect import HTTPSRedirectMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.testclient import TestClient
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

import core.applications
import core.routing


def greeting_app(**options: object) -> FastAPI:
    app = FastAPI(**options)

    @app.get("/greet/{name}")
    async def greet(name: str, request: Request) -> dict[str, object]:
        return {
            "hello": name,
            "root_path": request.scope.get("root_path"),
            "url": str(request.url_for("greet", name="x")),
        }

    return app


def test_fastapi_is_an_application_of_core() -> None:
    app = greeting_app()

    assert isinstance(app, core.applications.Starlette)
    assert all(isinstance(route, core.routing.BaseRoute) for route in app.routes)


def test_a_router_is_included_under_a_prefix() -> None:
    items, users = APIRouter(prefix="/items", tags=["items"]), APIRouter()

    @items.get("/{id}")
    async def read_item(id: int) -> int:
        return id

    @users.get("/users/me")
    async def read_me() -> str:
        return "me"

    @users.get("/users/{name}")
    async def read_user(name: str) -> str:
        return name

    items.include_router(users, prefix="/nested")
    app = FastAPI()
    app.include_router(items, prefix="/api")
    client = TestClient(app)
    assert client.get("/api/items/7").json() == 7
    assert client.get("/api/items/nested/users/me").json() == "me"
    assert client.get("/api/items/nested/users/ada").json() == "ada"
    assert str(app.url_path_for("read_user", name="ada")) == "/api/items/nested/users/ada"


def test_a_missing_slash_is_redirected() -> None:
    app = FastAPI()

    @app.get("/items/")
    async def read() -> str:
        return "items"

    response = TestClient(app, follow_redirects=False).get("/items?a=1")
    assert response.status_code == 307
    assert TestClient(app).get("/items?a=1").json() == "items"


def test_middleware_as_a_function() -> None:
    app = greeting_app()

    @app.middleware("http")
    async def add_time(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        response.headers["x-process-time"] = str(time.perf_counter() - started)
        return response

    assert float(TestClient(app).get("/greet/ada").headers["x-process-time"]) >= 0


class Rename(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.person = "ada"
        response = await call_next(request)
        body = b"".join([piece async for piece in response.body_iterator])
        return Response(body.upper(), response.status_code, media_type=response.media_type)


class Stamp:
    def __init__(self, app: ASGIApp, name: str) -> None:
        self.app, self.name = app, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("stamps", []).append(self.name)
        await self.app(scope, receive, send)


def test_middleware_as_classes() -> None:
    app = FastAPI()
    app.add_middleware(Stamp, name="inner")
    app.add_middleware(Rename)
    app.add_middleware(Stamp, name="outer")

    @app.get("/")
    async def show(request: Request) -> list[str]:
        return [request.state.person, *request.scope["stamps"]]

    assert TestClient(app).get("/").text == '["ADA","OUTER","INNER"]'


def test_the_middleware_that_fastapi_names() -> None:
    app = greeting_app()
    app.add_middleware(CORSMiddleware, allow_origins=["https://a.test"], allow_methods=["*"], allow_credentials=True)
    app.add_middleware(GZipMiddleware, minimum_size=10)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["testserver"])
    app.add_middleware(HTTPSRedirectMiddleware)
    client = TestClient(app, base_url="https://testserver")
    asking = {"origin": "https://a.test", "access-control-request-method": "PUT"}

    assert client.options("/greet/a", headers=asking).headers["access-control-allow-origin"] == "https://a.test"
    assert client.get("/greet/a").headers["content-encoding"] == "gzip"
    assert client.get("/greet/a", headers={"host": "evil.test"}).status_code == 400
    assert client.get("http://testserver/greet/a", follow_redirects=False).status_code == 307


def test_sessions() -> None:
    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key="a secret of the check")

    @app.get("/")
    async def count(request: Request) -> int:
        request.session["visits"] = request.session.get("visits", 0) + 1
        return int(request.session["visits"])

    client = TestClient(app)
    assert [client.get("/").json() for _ in range(3)] == [1, 2, 3]


def test_the_lifespan_brings_state() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        events.append("start")
        yield {"model": "loaded"}
        events.append("stop")

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def show(request: Request) -> str:
        return str(request.state.model)

    with TestClient(app) as client:
        assert client.get("/").json() == "loaded"
    assert events == ["start", "stop"]


def test_the_older_events() -> None:
    events: list[str] = []
    app = FastAPI()
    with pytest.warns(DeprecationWarning, match="on_event"):
        app.on_event("startup")(lambda: events.append("start"))
    with pytest.warns(DeprecationWarning, match="on_event"):
        app.on_event("shutdown")(lambda: events.append("stop"))

    with TestClient(app):
        assert events == ["start"]
    assert events == ["start", "stop"]


def test_a_sub_application_has_a_document_of_its_own() -> None:
    app = FastAPI()
    app.mount("/sub", greeting_app())
    client = TestClient(app)

    assert client.get("/sub/greet/ada").json()["hello"] == "ada"
    assert client.get("/sub/greet/ada").json()["url"] == "http://testserver/sub/greet/x"
    assert client.get("/sub/openapi.json").json()["servers"] == [{"url": "/sub"}]
    assert "/sub/greet/{name}" not in client.get("/openapi.json").json()["paths"]


def test_a_fastapi_application_is_mounted_in_one_of_core() -> None:
    app = core.applications.Starlette(routes=[core.routing.Mount("/legacy", app=greeting_app())])

    answer = TestClient(app).get("/legacy/greet/ada").json()
    assert answer == {"hello": "ada", "root_path": "/legacy", "url": "http://testserver/legacy/greet/x"}


def test_routes_of_core_are_mounted_in_a_fastapi_application() -> None:
    app = FastAPI(routes=[Mount("/inner", routes=[Route("/", lambda request: Response("inner"))])])

    assert TestClient(app).get("/inner/").text == "inner"


def test_a_proxy_that_strips_a_prefix() -> None:
    client = TestClient(greeting_app(), root_path="/api/v1")

    assert client.get("/greet/ada").json()["root_path"] == "/api/v1"
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/api/v1"}]


def test_the_openapi_document_describes_parameters_and_bodies() -> None:
    app = greeting_app(title="Harbour", version="2.0", openapi_tags=[{"name": "ships"}])

    @app.post(
        "/ships", tags=["ships"], summary="Build a ship", deprecated=True, responses={409: {"description": "Taken"}}
    )
    async def build(name: str, crew: dict[str, int]) -> list[str]:
        return [name]

    document = TestClient(app).get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["info"] == {"title": "Harbour", "version": "2.0"}
    built = document["paths"]["/ships"]["post"]
    assert (built["summary"], built["deprecated"], sorted(built["responses"])) == (
        "Build a ship",
        True,
        ["200", "409", "422"],
    )
    assert built["parameters"][0]["name"] == "name"


def test_the_pages_of_documentation() -> None:
    client = TestClient(greeting_app())

    assert "swagger-ui" in client.get("/docs").text
    assert "redoc" in client.get("/redoc").text
    assert client.get("/docs/oauth2-redirect").status_code == 200
