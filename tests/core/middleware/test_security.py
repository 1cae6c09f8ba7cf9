"""HDR-1: the headers are on every kind of response."""

import re
from pathlib import Path
from typing import Any

import pytest

from core.applications import Starlette
from core.exceptions import HTTPException
from core.middleware import Middleware
from core.middleware.security import DEFAULT_CONTENT_SECURITY_POLICY, SecurityHeadersMiddleware, csp_nonce
from core.middleware.trustedhost import TrustedHostMiddleware
from core.requests import HTTPConnection, Request
from core.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from core.routing import Mount, Route, WebSocketRoute
from core.staticfiles import StaticFiles
from core.testclient import TestClient, WebSocketDenialResponse
from core.websockets import WebSocket

EXPECTED = (
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "strict-transport-security",
)


async def page(request: Request) -> Response:
    return PlainTextResponse("page", headers={"server": "secret/1.0", "x-powered-by": "secret"})


async def page_with_nonce(request: Request) -> Response:
    return PlainTextResponse(f"{csp_nonce(request)} {csp_nonce(request)}")


async def stream(request: Request) -> Response:
    return StreamingResponse(iter(["a", "b"]))


async def redirect(request: Request) -> Response:
    return RedirectResponse("/page")


async def not_modified(request: Request) -> Response:
    return Response(status_code=304)


async def refuse(request: Request) -> Response:
    raise HTTPException(403)


async def fail(request: Request) -> Response:
    raise ValueError("broken")


async def own_policy(request: Request) -> Response:
    return PlainTextResponse("", headers={"content-security-policy": "default-src *", "referrer-policy": "origin"})


async def deny(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse("no", status_code=401))


def build_app(directory: Path, **options: Any) -> Starlette:
    return Starlette(
        routes=[
            Route("/page", page),
            Route("/nonce", page_with_nonce),
            Route("/stream", stream),
            Route("/redirect", redirect),
            Route("/not-modified", not_modified),
            Route("/refuse", refuse),
            Route("/fail", fail),
            Route("/own", own_policy),
            Mount("/mounted", routes=[Route("/nonce", page_with_nonce)]),
            Mount("/static", StaticFiles(directory=directory)),
            WebSocketRoute("/deny", deny),
        ],
        middleware=[
            Middleware(SecurityHeadersMiddleware, **options),
            Middleware(TrustedHostMiddleware, ["slipway.test"]),
        ],
        error_responses_inside_middleware=True,
    )


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    (tmp_path / "app.css").write_text("body {}")
    return TestClient(
        build_app(tmp_path), base_url="https://slipway.test", raise_server_exceptions=False, follow_redirects=False
    )


RESPONSES = {
    ("GET", "/page"): 200,
    ("HEAD", "/page"): 200,
    ("GET", "/stream"): 200,
    ("GET", "/redirect"): 307,
    ("GET", "/page/"): 307,
    ("GET", "/not-modified"): 304,
    ("GET", "/refuse"): 403,
    ("GET", "/missing"): 404,
    ("POST", "/page"): 405,
    ("GET", "/fail"): 500,
    ("GET", "/static/app.css"): 200,
    ("GET", "/static/missing.css"): 404,
    ("POST", "/static/app.css"): 405,
}


@pytest.mark.parametrize(("method", "path"), RESPONSES)
def test_every_response_has_the_headers(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path)

    assert response.status_code == RESPONSES[method, path]
    assert [name for name in EXPECTED if name not in response.headers] == []
    assert "server" not in response.headers
    assert "x-powered-by" not in response.headers


def test_a_static_file_not_modified_has_the_headers(client: TestClient) -> None:
    etag = client.get("/static/app.css").headers["etag"]
    response = client.get("/static/app.css", headers={"if-none-match": etag})

    assert response.status_code == 304
    assert [name for name in EXPECTED if name not in response.headers] == []


def test_a_refusal_by_an_inner_middleware_has_the_headers(client: TestClient) -> None:
    response = client.get("/page", headers={"host": "evil.test"})

    assert response.status_code == 400
    assert [name for name in EXPECTED if name not in response.headers] == []


def test_a_denied_websocket_has_the_headers(client: TestClient) -> None:
    with pytest.raises(WebSocketDenialResponse) as denial, client.websocket_connect("/deny"):
        pass

    assert [name for name in EXPECTED if name not in denial.value.headers] == []


def test_nobody_may_frame_us_and_subdomains_are_covered(client: TestClient) -> None:
    headers = client.get("/page").headers

    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["x-content-type-options"] == "nosniff"


def test_plain_http_gets_no_transport_security(tmp_path: Path) -> None:
    client = TestClient(build_app(tmp_path), base_url="http://slipway.test")

    assert "strict-transport-security" not in client.get("/page").headers


def test_headers_that_the_response_has_already_win(client: TestClient) -> None:
    headers = client.get("/own").headers

    assert headers.get_list("content-security-policy") == ["default-src *"]
    assert headers.get_list("referrer-policy") == ["origin"]


@pytest.mark.parametrize("path", ["/nonce", "/mounted/nonce"])
def test_the_nonce_is_in_the_policy_once_a_page_asked_for_it(client: TestClient, path: str) -> None:
    response = client.get(path)
    first, second = response.text.split()

    assert first == second
    policy = response.headers["content-security-policy"]
    assert re.search(rf"script-src 'self' 'nonce-{re.escape(first)}'", policy)
    assert re.search(rf"style-src 'self' 'nonce-{re.escape(first)}'", policy)


def test_a_page_without_a_nonce_has_none_in_its_policy(client: TestClient) -> None:
    assert "nonce" not in client.get("/page").headers["content-security-policy"]


def test_nonces_are_of_128_bits_and_never_repeat(client: TestClient) -> None:
    with client:
        nonces = {client.get("/nonce").text.split()[0] for _ in range(200)}

    assert len(nonces) == 200
    assert min(len(nonce) for nonce in nonces) * 6 >= 128


def test_a_nonce_replaces_none_in_a_directive(tmp_path: Path) -> None:
    app = build_app(tmp_path, content_security_policy={"script-src": "'none'", "img-src": ("'self'", "data:")})
    response = TestClient(app, base_url="https://slipway.test").get("/nonce")

    nonce = response.text.split()[0]
    assert response.headers["content-security-policy"] == f"script-src 'nonce-{nonce}'; img-src 'self' data:"


def test_policies_can_be_left_out(tmp_path: Path) -> None:
    app = build_app(tmp_path, content_security_policy=None, hsts_seconds=0, headers={})
    headers = TestClient(app, base_url="https://slipway.test").get("/page").headers

    absent = {"content-security-policy", "strict-transport-security", "permissions-policy"}
    assert absent.isdisjoint(headers)


def test_a_policy_that_would_inject_a_header_is_refused_at_construction() -> None:
    with pytest.raises(ValueError, match="line break"):
        SecurityHeadersMiddleware(Starlette(), content_security_policy={"default-src": "'self'\r\nx: y"})


def test_the_default_policy_forbids_what_is_not_named() -> None:
    assert DEFAULT_CONTENT_SECURITY_POLICY["default-src"] == "'none'"


def test_asking_for_a_nonce_without_the_middleware_says_what_is_missing() -> None:
    with pytest.raises(RuntimeError, match="SecurityHeadersMiddleware must be installed"):
        csp_nonce(HTTPConnection({"type": "http", "headers": []}))
