import pytest

from core.middleware.httpsredirect import HTTPSRedirectMiddleware
from core.responses import PlainTextResponse
from core.testclient import TestClient, WebSocketDenialResponse
from tests.core.connections import answer, http_scope, websocket_scope

REDIRECTS = {
    ("slipway.test", "/"): "https://slipway.test/",
    ("slipway.test:80", "/a"): "https://slipway.test/a",
    ("slipway.test:443", "/a?b=c"): "https://slipway.test/a?b=c",
    ("slipway.test:8000", "/a"): "https://slipway.test:8000/a",
    ("[::1]", "/"): "https://[::1]/",
    ("[::1]:80", "/"): "https://[::1]/",
    ("[::1]:8000", "/"): "https://[::1]:8000/",
    ("slipway.test", "//evil.test/"): "https://slipway.test//evil.test/",
}


@pytest.mark.parametrize(("host", "path"), REDIRECTS)
def test_plain_http_is_sent_to_the_same_address_by_https(host: str, path: str) -> None:
    client = TestClient(HTTPSRedirectMiddleware(PlainTextResponse("in")), follow_redirects=False)
    response = client.get(f"http://testserver{path}", headers={"host": host})

    assert (response.status_code, response.headers["location"]) == (307, REDIRECTS[host, path])


def test_https_passes() -> None:
    assert TestClient(HTTPSRedirectMiddleware(PlainTextResponse("in")), base_url="https://t").get("/").text == "in"


def test_a_websocket_is_sent_to_wss() -> None:
    client = TestClient(HTTPSRedirectMiddleware(PlainTextResponse("in")))
    with pytest.raises(WebSocketDenialResponse) as denial, client.websocket_connect("/chat"):
        pass

    assert denial.value.headers["location"] == "wss://testserver/chat"


async def test_a_request_without_a_usable_host_cannot_be_sent_anywhere() -> None:
    sent = await answer(HTTPSRedirectMiddleware(PlainTextResponse("secure")), http_scope(server=None))

    assert (sent.status, sent.body) == (400, b"Invalid host header")


async def test_a_websocket_is_closed_where_it_cannot_be_redirected() -> None:
    sent = await answer(HTTPSRedirectMiddleware(PlainTextResponse("secure")), websocket_scope(scheme="ws"))

    assert [message["type"] for message in sent.messages] == ["websocket.close"]
