"""A middleware that leaves its mark, and the endpoints that tests of middleware use."""

from core.applications import Starlette
from core.middleware import Middleware
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.testclient import AsyncTestClient
from core.types import ASGIApp, Message, Receive, Scope, Send


class Broken(Exception):
    pass


class Tagging:
    """Appends its tag to a header of every response."""

    def __init__(self, app: ASGIApp, tag: str) -> None:
        self.app = app
        self.tag = tag

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-tag", self.tag.encode())]
            await send(message)

        await self.app(scope, receive, tagged)


def tag(text: str) -> Middleware:
    return Middleware(Tagging, text)


async def fail(request: Request) -> Response:
    raise Broken("secret detail")


async def say_ok(request: Request) -> Response:
    return PlainTextResponse("ok")


def http(app: Starlette) -> AsyncTestClient:
    return AsyncTestClient(app, raise_server_exceptions=False)
