import pytest

from core.applications import Starlette
from core.middleware import Middleware
from core.middleware.trustedhost import TrustedHostMiddleware
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import Route, WebSocketRoute
from core.testclient import AsyncTestClient, TestClient
from core.types import Message, Receive, Scope, Send
from core.websockets import WebSocket, WebSocketDisconnect


async def page(request: Request) -> Response:
    return PlainTextResponse(request.url.path)


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


def client(*allowed: str, **options: bool) -> TestClient:
    app = Starlette(
        routes=[Route("/", page), Route("/page", page), WebSocketRoute("/chat", chat)],
        middleware=[Middleware(TrustedHostMiddleware, list(allowed), **options)],
    )
    return TestClient(app, follow_redirects=False)


ALLOWED = ("slipway.test", "*.example.com", "[::1]")
HOSTS = {
    "slipway.test": 200,
    "SLIPWAY.test": 200,
    "slipway.test:8000": 200,
    "a.example.com": 200,
    "a.b.example.com:1": 200,
    "[::1]": 200,
    "[::1]:8000": 200,
    "example.com": 400,
    "evilexample.com": 400,
    "slipway.test.evil.net": 400,
    "evil.net": 400,
    "": 400,
    "evil.net/slipway.test": 400,
    "slipway.test/x?": 400,
    "slipway.test@evil.net": 400,
    "evil.net#.example.com": 400,
    "evil.net\\.example.com": 400,
    "evil.net .example.com": 400,
    "slipway.test:80:80": 400,
    "slipway.test:x": 400,
    "[::1": 400,
    "[::1]evil": 400,
    "[slipway.test]": 400,
    "slipway.test,evil.net": 400,
}


@pytest.mark.parametrize("host", HOSTS)
def test_only_allowed_hosts_pass(host: str) -> None:
    assert client(*ALLOWED).get("/", headers={"host": host}).status_code == HOSTS[host]


@pytest.mark.parametrize("host", ["x/y?z=", "a@b", "x/abc?b=", "a b", "host\\x", ""])
@pytest.mark.parametrize("allowed", ["*", "slipway.test"])
def test_cve_2026_48710_a_host_that_breaks_the_grammar_never_passes(host: str, allowed: str) -> None:
    """BadHost: such a header moved the path that code behind it saw."""
    assert client(allowed).get("/", headers={"host": host}).status_code == 400


async def test_cve_aiohttp_2026_34525_two_hosts_or_none_are_refused() -> None:
    async def status_of(headers: list[tuple[bytes, bytes]]) -> int:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request"}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await PlainTextResponse("in")(scope, receive, send)

        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
        await TrustedHostMiddleware(app, ["*"], www_redirect=False)(scope, receive, send)
        return int(sent[0]["status"])

    assert await status_of([(b"host", b"a")]) == 200
    assert await status_of([(b"host", b"a"), (b"host", b"a")]) == 400
    assert await status_of([]) == 400


def test_a_host_without_www_is_sent_to_the_one_with_it_and_keeps_the_port() -> None:
    response = client("www.example.com").get("/page?a=1", headers={"host": "example.com:8000"})

    assert (response.status_code, response.headers["location"]) == (307, "http://www.example.com:8000/page?a=1")
    assert client("www.example.com", www_redirect=False).get("/", headers={"host": "example.com"}).status_code == 400


@pytest.mark.parametrize("pattern", ["*example.com", "a.*.com", "example.*"])
def test_a_pattern_that_would_not_mean_what_it_says_is_refused(pattern: str) -> None:
    with pytest.raises(AssertionError, match="Domain wildcard patterns"):
        TrustedHostMiddleware(Starlette(), [pattern])


def test_a_websocket_for_another_host_is_refused() -> None:
    with client("testserver").websocket_connect("/chat"):
        pass
    with pytest.raises(WebSocketDisconnect), client("slipway.test").websocket_connect("/chat"):
        pass


async def test_hosts_are_checked_on_both_event_loops() -> None:
    assert (await AsyncTestClient(client("slipway.test").app).get("/")).status_code == 400
