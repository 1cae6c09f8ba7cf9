"""The second column of CSR-1's matrix: what each kind of unsafe request gets, with a session and without."""

import pytest

from core.applications import Starlette
from core.exceptions import HTTPException
from core.middleware import Middleware
from core.middleware.csrf import CSRFMiddleware, csrf_token, require_csrf_token
from core.requests import HTTPConnection, Request
from core.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from core.routing import Mount, Route, WebSocketRoute
from core.testclient import AsyncTestClient, TestClient
from core.websockets import WebSocket, WebSocketDisconnect
from tests.core.connections import Sent, http_scope, messages_of

OWN = "https://slipway.test"
SESSION = {"cookie": "session=alice"}
SAME_ORIGIN = {"sec-fetch-site": "same-origin", "origin": OWN}


def session_id(connection: HTTPConnection) -> str | None:
    return None if "authorization" in connection.headers else connection.cookies.get("session")


async def change(request: Request) -> Response:
    return PlainTextResponse("changed")


async def show_token(request: Request) -> Response:
    return PlainTextResponse(csrf_token(request))


async def show_form(request: Request) -> Response:
    form = await request.form()
    return JSONResponse({name: value for name, value in form.items() if isinstance(value, str)})


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


async def error_page(request: Request, error: HTTPException) -> Response:
    return HTMLResponse(f"<h1>{error.detail}</h1>", status_code=error.status_code)


APP = Starlette(
    routes=[
        Route("/token", show_token),
        Route("/form", show_form, methods=["POST"]),
        Route("/webhooks/payments", change, methods=["POST"]),
        Route("/webhooks", change, methods=["POST"]),
        WebSocketRoute("/chat", chat),
        Mount("/mounted", routes=[Route("/token", show_token)]),
        Route("/", change, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ],
    middleware=[
        Middleware(
            CSRFMiddleware,
            secret_key="a secret",
            session_id=session_id,
            trusted_origins=["https://partner.test"],
            exempt=["/webhooks/"],
        )
    ],
    exception_handlers={HTTPException: error_page},
)


def client(**headers: str) -> TestClient:
    return TestClient(APP, base_url=OWN, headers=headers)


def token_of(session: str = "alice") -> str:
    return client(cookie=f"session={session}").get("/token").text


ANONYMOUS = {
    "from our page": ({"sec-fetch-site": "same-origin"}, 200),
    "typed address": ({"sec-fetch-site": "none"}, 200),
    "cross-site": ({"sec-fetch-site": "cross-site"}, 403),
    "same-site": ({"sec-fetch-site": "same-site"}, 403),
    "own origin": ({"origin": OWN}, 200),
    "own origin with port": ({"origin": f"{OWN}:443"}, 200),
    "other origin": ({"origin": "https://evil.test"}, 403),
    "own host by http": ({"origin": "http://slipway.test"}, 403),
    "own host as prefix": ({"origin": f"{OWN}.evil.test"}, 403),
    "null origin": ({"origin": "null"}, 403),
    "no headers": ({}, 200),
    "trusted origin": ({"origin": "https://partner.test", "sec-fetch-site": "cross-site"}, 200),
    "null origin of our page without referrer": ({"sec-fetch-site": "same-origin", "origin": "null"}, 200),
    "text/plain": ({"sec-fetch-site": "cross-site", "content-type": "text/plain"}, 403),
}


@pytest.mark.parametrize("case", ANONYMOUS)
def test_an_anonymous_request_is_judged_by_where_it_comes_from(case: str) -> None:
    headers, status_code = ANONYMOUS[case]

    assert client(**headers).post("/", content=b'{"a": 1}').status_code == status_code


@pytest.mark.parametrize("case", ANONYMOUS)
def test_a_session_needs_the_token_whatever_the_headers_say(case: str) -> None:
    headers, status_code = ANONYMOUS[case]
    with_session = client(**headers, **SESSION)

    assert with_session.post("/", content=b'{"a": 1}').status_code == 403
    assert with_session.post("/", headers={"x-csrf-token": token_of()}).status_code == status_code


WRONG_TOKENS = {
    "missing": "",
    "without a signature": "YWJj",
    "zeros": f"nonce.{'0' * 64}",
    "cut short": token_of()[:-1],
    "with another beginning": f"x{token_of()}",
    "of another session": token_of("mallory"),
    "not ASCII": "\xff\xfe",
}


@pytest.mark.parametrize("case", WRONG_TOKENS)
def test_a_wrong_token_is_refused(case: str) -> None:
    response = client(**SAME_ORIGIN, **SESSION).post(
        "/", headers=[(b"x-csrf-token", WRONG_TOKENS[case].encode("latin-1"))]
    )

    assert response.status_code == 403


def test_a_token_of_another_session_is_refused() -> None:
    headers = {**SAME_ORIGIN, **SESSION}

    assert client(**headers).post("/", headers={"x-csrf-token": token_of("mallory")}).status_code == 403


def test_text_plain_json_with_a_session_is_refused() -> None:
    headers = {**SESSION, "content-type": "text/plain"}

    assert client(**headers).post("/", content=b'{"csrf_token": "x"}').status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_unsafe_method_is_checked(method: str) -> None:
    assert client(**{"sec-fetch-site": "cross-site"}).request(method, "/").status_code == 403


def test_a_safe_method_is_not_checked() -> None:
    assert client(**SESSION, **{"sec-fetch-site": "cross-site"}).get("/").status_code == 200


def test_the_token_may_come_in_a_form_which_the_handler_still_reads() -> None:
    own_page = client(**SAME_ORIGIN, **SESSION)
    data = {"csrf_token": token_of(), "name": "Ada"}

    assert own_page.post("/form", data=data).json()["name"] == "Ada"
    assert own_page.post("/form", data=data, files={"picture": b"bytes"}).json()["name"] == "Ada"
    assert own_page.post("/form", data={"name": "Ada"}).status_code == 403


def test_a_malformed_form_is_a_refusal_and_not_an_error() -> None:
    headers = {**SAME_ORIGIN, **SESSION, "content-type": "multipart/form-data; boundary=x"}

    assert client(**headers).post("/form", content=b"junk").status_code in (400, 403)


def test_a_form_over_the_limit_is_too_large_rather_than_forged() -> None:
    app = Starlette(
        routes=APP.routes,
        middleware=APP.user_middleware,
        exception_handlers=APP.exception_handlers,
        max_body_size=100,
    )
    own_page = TestClient(app, base_url=OWN, headers={**SAME_ORIGIN, **SESSION})

    assert own_page.post("/form", data={"csrf_token": token_of(), "text": "x" * 200}).status_code == 413


def test_tokens_look_different_each_time_and_stay_valid() -> None:
    first, second = token_of(), token_of()

    assert first != second
    for token in (first, second):
        response = client(**SAME_ORIGIN, **SESSION).post("/", headers={"x-csrf-token": token})
        assert response.status_code == 200


def test_anonymous_visitors_get_an_empty_token() -> None:
    assert client().get("/token").text == ""


def test_a_mounted_page_can_make_a_token() -> None:
    assert client(**SESSION).get("/mounted/token").text != ""


def test_a_request_that_cookies_do_not_authenticate_needs_no_token() -> None:
    assert client(**SESSION, authorization="Bearer key").post("/").status_code == 200


def test_exempt_paths_are_not_checked_and_prefixes_end_at_a_slash() -> None:
    cross_site = client(**{"sec-fetch-site": "cross-site"})

    assert cross_site.post("/webhooks/payments").status_code == 200
    assert cross_site.post("/webhooks").status_code == 403


def test_a_refusal_is_shown_by_the_applications_error_page() -> None:
    response = client(**{"sec-fetch-site": "cross-site"}).post("/")

    assert response.text == "<h1>This request came from another site.</h1>"


def test_a_websocket_of_another_site_is_refused() -> None:
    with client(origin=OWN).websocket_connect("/chat"):
        pass
    with client().websocket_connect("/chat"):
        pass
    with pytest.raises(WebSocketDisconnect), client(origin="https://evil.test").websocket_connect("/chat"):
        pass


def test_several_values_of_one_header_must_all_be_ours() -> None:
    mixed = client().post("/", headers=[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")])

    assert mixed.status_code == 403


def test_asking_for_a_token_without_the_middleware_says_what_is_missing() -> None:
    with pytest.raises(RuntimeError, match="CSRFMiddleware must be installed"):
        csrf_token(HTTPConnection({"type": "http", "headers": []}))


async def test_the_check_works_on_both_event_loops() -> None:
    async_client = AsyncTestClient(APP, base_url=OWN, headers={**SAME_ORIGIN, **SESSION})
    token = (await async_client.get("/token")).text

    assert (await async_client.post("/form", data={"csrf_token": token})).status_code == 200
    assert (await async_client.post("/form", data={"csrf_token": ""})).status_code == 403


async def test_a_client_that_leaves_while_its_form_is_read_is_not_answered() -> None:
    form = {"content-type": "application/x-www-form-urlencoded", "cookie": "session=alice"}
    sent = Sent()
    await APP(http_scope("POST", "/change", form), messages_of({"type": "http.disconnect"}), sent)

    assert sent.messages == []


def test_a_handler_may_read_the_form_first_and_check_its_token_then() -> None:
    async def upload(request: Request) -> Response:
        await request.form(max_part_size=1024)
        await require_csrf_token(request)
        return PlainTextResponse("changed")

    protection = Middleware(
        CSRFMiddleware, secret_key="a secret", session_id=session_id, deferred=lambda connection: True
    )
    http = TestClient(Starlette(routes=[Route("/", upload, methods=["POST"])], middleware=[protection]), base_url=OWN)
    headers = {"cookie": "session=alice"}

    assert http.post("/", data={"csrf_token": token_of()}, headers=headers).text == "changed"
    assert http.post("/", data={"csrf_token": "wrong"}, headers=headers).status_code == 403
