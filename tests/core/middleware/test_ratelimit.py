import pytest

from core.applications import Starlette
from core.exceptions import HTTPException
from core.middleware import Middleware
from core.middleware.ratelimit import RateLimit, RateLimitMiddleware, client_network
from core.requests import HTTPConnection, Request
from core.responses import PlainTextResponse, Response
from core.routing import Route, WebSocketRoute
from core.testclient import AsyncTestClient, TestClient
from core.websockets import WebSocket, WebSocketDisconnect


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def page(request: Request) -> Response:
    return PlainTextResponse("in")


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


async def error_page(request: Request, error: HTTPException) -> Response:
    return PlainTextResponse("slow down", error.status_code, error.headers)


def build(*limits: RateLimit, clock: Clock, max_keys: int = 100) -> Starlette:
    return Starlette(
        routes=[Route("/{path:path}", page, methods=["GET", "POST"]), WebSocketRoute("/chat", chat)],
        middleware=[Middleware(RateLimitMiddleware, limits, clock=clock, max_keys=max_keys)],
        exception_handlers={429: error_page},
    )


def statuses(client: TestClient, number: int, path: str = "/") -> list[int]:
    return [client.get(path).status_code for _ in range(number)]


def test_a_client_gets_its_allowance_at_once_and_then_over_time() -> None:
    clock = Clock()
    client = TestClient(build(RateLimit("all", allowed=2, seconds=10), clock=clock))

    assert statuses(client, 3) == [200, 200, 429]
    clock.seconds = 5
    assert statuses(client, 2) == [200, 429]
    clock.seconds = 1000
    assert statuses(client, 3) == [200, 200, 429]


def test_a_refusal_says_when_to_come_back_on_the_applications_own_page() -> None:
    client = TestClient(build(RateLimit("all", allowed=1, seconds=30), clock=Clock()))
    client.get("/")
    response = client.get("/")

    assert (response.status_code, response.text, response.headers["retry-after"]) == (429, "slow down", "30")


def test_clients_do_not_share_an_allowance() -> None:
    app = build(RateLimit("all", allowed=1, seconds=30), clock=Clock())

    assert statuses(TestClient(app, client=("192.0.2.1", 1)), 2) == [200, 429]
    assert statuses(TestClient(app, client=("192.0.2.2", 1)), 2) == [200, 429]


def test_groups_of_routes_have_limits_of_their_own() -> None:
    api = RateLimit("api", allowed=1, seconds=30, paths=["/api/"])
    log_in = RateLimit("log-in", allowed=1, seconds=30, paths=["/log-in"], methods=["POST"])
    client = TestClient(build(api, log_in, clock=Clock()))

    assert statuses(client, 2, "/api/v1") == [200, 429]
    assert statuses(client, 2, "/log-in") == [200, 200]
    assert [client.post("/log-in").status_code for _ in range(2)] == [200, 429]
    assert statuses(client, 2, "/log-in-help") == [200, 200]


def test_the_number_of_buckets_is_bounded() -> None:
    app = build(RateLimit("all", allowed=1, seconds=1e9), clock=Clock(), max_keys=2)
    first, second, third = (TestClient(app, client=(f"192.0.2.{number}", 1)) for number in (1, 2, 3))

    assert statuses(first, 1) + statuses(second, 1) + statuses(third, 1) == [200, 200, 200]
    assert statuses(third, 1) + statuses(second, 1) == [429, 429]
    assert statuses(first, 1) == [200]


def test_a_websocket_counts_too() -> None:
    client = TestClient(build(RateLimit("all", allowed=1, seconds=30), clock=Clock()))
    with client.websocket_connect("/chat"):
        pass
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/chat"):
        pass


NETWORKS = {
    "192.0.2.1": "192.0.2.1",
    "2001:db8::1": "2001:db8::/64",
    "2001:db8::ffff:1": "2001:db8::/64",
    "testclient": "testclient",
}


@pytest.mark.parametrize("host", NETWORKS)
def test_an_ipv6_client_is_its_network(host: str) -> None:
    assert client_network(HTTPConnection({"type": "http", "headers": [], "client": (host, 1)})) == NETWORKS[host]


def test_a_client_without_address_is_not_limited() -> None:
    assert client_network(HTTPConnection({"type": "http", "headers": [], "client": None})) is None


async def test_limits_hold_on_both_event_loops() -> None:
    client = AsyncTestClient(build(RateLimit("all", allowed=1, seconds=30), clock=Clock()))

    assert [(await client.get("/")).status_code for _ in range(2)] == [200, 429]
