"""Who a connection belongs to, and which endpoints it reaches."""

import base64
import binascii
from typing import Any

import pytest

from core.applications import Starlette
from core.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
    SimpleUser,
    requires,
)
from core.middleware import Middleware
from core.middleware.authentication import AuthenticationMiddleware
from core.requests import HTTPConnection, Request
from core.responses import JSONResponse, PlainTextResponse, Response
from core.routing import Route, WebSocketRoute
from core.testclient import AsyncTestClient, TestClient
from core.websockets import WebSocket, WebSocketDisconnect


class Basic(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        header = conn.headers.get("authorization")
        if header is None:
            return None
        try:
            name = base64.b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")[0]
        except binascii.Error as error:
            raise AuthenticationError("Invalid basic auth credentials") from error
        return AuthCredentials(["authenticated"]), SimpleUser(name)


async def who(request: Request) -> Response:
    return JSONResponse({"signed_in": request.user.is_authenticated, "name": request.user.display_name})


@requires("authenticated")
async def for_members(request: Request) -> Response:
    return PlainTextResponse("members")


@requires(["authenticated", "admin"], status_code=404)
def for_admins(request: Request) -> Response:
    return PlainTextResponse("admins")


@requires("authenticated", redirect="who")
async def with_redirect(request: Request) -> Response:
    return PlainTextResponse("members")


@requires("authenticated")
async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


APP = Starlette(
    routes=[
        Route("/", who, name="who"),
        Route("/members", for_members),
        Route("/admins", for_admins),
        Route("/redirect", with_redirect),
        WebSocketRoute("/chat", chat),
    ],
    middleware=[Middleware(AuthenticationMiddleware, backend=Basic())],
)
ADA = {"authorization": f"Basic {base64.b64encode(b'ada:secret').decode()}"}


def http(**options: Any) -> AsyncTestClient:
    return AsyncTestClient(APP, follow_redirects=False, **options)


async def test_the_backend_decides_who_somebody_is() -> None:
    assert (await http().get("/")).json() == {"signed_in": False, "name": ""}
    assert (await http(headers=ADA).get("/")).json() == {"signed_in": True, "name": "ada"}


async def test_wrong_credentials_are_refused_before_the_endpoint() -> None:
    response = await http(headers={"authorization": "Basic ?"}).get("/")

    assert (response.status_code, response.text) == (400, "Invalid basic auth credentials")


@pytest.mark.parametrize(("path", "anonymous", "ada"), [("/members", 403, 200), ("/admins", 404, 404)])
async def test_only_those_with_all_scopes_reach_an_endpoint(path: str, anonymous: int, ada: int) -> None:
    assert (await http().get(path)).status_code == anonymous
    assert (await http(headers=ADA).get(path)).status_code == ada


async def test_others_may_be_redirected_with_the_way_back() -> None:
    response = await http().get("/redirect?a=b")

    assert response.status_code == 303
    assert response.headers["location"] == "http://testserver/?next=http%3A%2F%2Ftestserver%2Fredirect%3Fa%3Db"


def test_websockets_of_others_are_closed() -> None:
    client = TestClient(APP)

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/chat"):
        pass
    with client.websocket_connect("/chat", headers=ADA):
        pass


def test_an_endpoint_without_a_connection_parameter_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match='No "request" or "websocket" argument'):

        @requires("authenticated")
        async def endpoint() -> None:
            pass


def test_a_websocket_with_wrong_credentials_is_closed() -> None:
    app = Starlette(
        routes=[WebSocketRoute("/ws", chat)], middleware=[Middleware(AuthenticationMiddleware, backend=Basic())]
    )

    with pytest.raises(WebSocketDisconnect) as closed:
        TestClient(app).websocket_connect("/ws", headers={"authorization": "Basic !"}).__enter__()

    assert closed.value.code == 1000


async def test_the_connection_may_be_any_parameter() -> None:
    class Members:
        @requires("authenticated")
        async def show(self, request: Request) -> Response:
            return PlainTextResponse("members")

    app = Starlette(
        routes=[Route("/", Members().show)], middleware=[Middleware(AuthenticationMiddleware, backend=Basic())]
    )

    assert (await AsyncTestClient(app).get("/", auth=("ada", ""))).text == "members"
