import base64
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import itsdangerous
import pytest
import time_machine

from core._cookies import cookie_parser, find_cookie
from core.applications import Starlette
from core.datastructures import Secret
from core.middleware import Middleware
from core.middleware.sessions import REMEMBERED_COOKIES, Session, SessionMiddleware
from core.requests import Request
from core.responses import JSONResponse, Response
from core.routing import Route, WebSocketRoute
from core.testclient import AsyncTestClient, TestClient
from core.websockets import WebSocket

NOW = "2026-11-20T12:00:00Z"


async def show(request: Request) -> Response:
    return JSONResponse(dict(request.session))


async def change(request: Request) -> Response:
    request.session.update(await request.json())
    return JSONResponse(dict(request.session))


async def clear(request: Request) -> Response:
    request.session.clear()
    return JSONResponse({})


async def ignore(request: Request) -> Response:
    return JSONResponse({})


async def show_in_websocket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(websocket.session)
    await websocket.close()


def client(secret_key: Any = "secret", **options: Any) -> TestClient:
    app = Starlette(
        routes=[
            Route("/show", show),
            Route("/change", change, methods=["POST"]),
            Route("/clear", clear, methods=["POST"]),
            Route("/ignore", ignore),
            WebSocketRoute("/ws", show_in_websocket),
        ],
        middleware=[Middleware(SessionMiddleware, secret_key=secret_key, **options)],
    )
    return TestClient(app, base_url="https://slipway.test")


def sealed(values: dict[str, Any], **options: Any) -> str:
    cookie = client(**options).post("/change", json=values).cookies["session"]
    assert cookie is not None
    return cookie


def test_a_change_is_kept_and_untouched_sessions_send_nothing() -> None:
    browser = client()

    assert browser.get("/show").json() == {}
    assert "set-cookie" not in browser.get("/show").headers
    assert "session=" in browser.post("/change", json={"name": "Ada"}).headers["set-cookie"]
    shown = browser.get("/show")
    assert shown.json() == {"name": "Ada"}
    assert "set-cookie" not in shown.headers


def test_the_cookie_has_the_attributes_that_were_asked_for() -> None:
    browser = client(session_cookie="__Host-state", https_only=True, same_site="strict", max_age=60, partitioned=True)
    cookie = browser.post("/change", json={"a": 1}).headers["set-cookie"]

    assert cookie.startswith("__Host-state=")
    assert cookie.endswith("; path=/; Max-Age=60; httponly; samesite=strict; secure; partitioned")


def test_a_session_that_was_read_varies_by_cookie_and_one_that_was_not_does_not() -> None:
    assert client().get("/show").headers["vary"] == "Cookie"
    assert "vary" not in client().get("/ignore").headers


def test_clearing_removes_the_cookie() -> None:
    browser = client()
    browser.post("/change", json={"name": "Ada"})

    assert "session=null; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT" in browser.post("/clear").headers["set-cookie"]
    assert browser.get("/show").json() == {}
    assert "set-cookie" not in client().post("/clear").headers


FORGERIES = {
    "another key": itsdangerous.TimestampSigner("other").sign(base64.b64encode(b'{"admin": true}')).decode(),
    "unsigned": base64.b64encode(b'{"admin": true}').decode(),
    "empty": "",
    "null": "null",
    "junk": "\xff.\xff.\xff",
    "dots": "." * 4000,
}


@pytest.mark.parametrize("case", FORGERIES)
def test_a_forged_cookie_is_an_empty_session(case: str) -> None:
    headers = [(b"cookie", b"session=" + FORGERIES[case].encode("latin-1"))]

    assert client().get("/show", headers=headers).json() == {}


def test_cve_django_2026_6873_a_value_signed_for_another_cookie_is_refused() -> None:
    """The same key signs several cookies: a value must not be movable from one to the other."""
    other = client(session_cookie="other").post("/change", json={"admin": True}).cookies["other"]

    assert client().get("/show", headers={"cookie": f"session={other}"}).json() == {}


def test_keys_can_be_rotated_without_losing_sessions() -> None:
    old = sealed({"name": "Ada"}, secret_key="old")
    rotated = client(secret_key=[Secret("new"), "old"])

    assert rotated.get("/show", headers={"cookie": f"session={old}"}).json() == {"name": "Ada"}
    new = rotated.post("/change", json={"name": "Ada"}).cookies["session"]
    assert client(secret_key="new").get("/show", headers={"cookie": f"session={new}"}).json() == {"name": "Ada"}


def test_no_key_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one secret key"):
        SessionMiddleware(Starlette(), secret_key=[])


def test_a_cookie_is_worth_nothing_after_its_age_even_when_it_was_verified_before() -> None:
    browser = client(max_age=60)
    with time_machine.travel(NOW, tick=False) as clock:
        headers = {"cookie": f"session={sealed({'name': 'Ada'})}"}
        assert browser.get("/show", headers=headers).json() == {"name": "Ada"}
        clock.shift(timedelta(seconds=61))
        assert browser.get("/show", headers=headers).json() == {}


def test_a_cookie_without_maximum_age_lasts() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        headers = {"cookie": f"session={sealed({'name': 'Ada'})}"}
        clock.shift(timedelta(days=1000))
        assert client(max_age=None).get("/show", headers=headers).json() == {"name": "Ada"}


def test_a_rolling_session_is_sent_again_once_its_cookie_is_old_enough() -> None:
    browser = client(refresh_after=3600)
    with time_machine.travel(NOW, tick=False) as clock:
        browser.post("/change", json={"name": "Ada"})
        clock.shift(timedelta(seconds=3600))
        assert "set-cookie" not in browser.get("/show").headers
        clock.shift(timedelta(seconds=1))
        assert "set-cookie" not in browser.get("/ignore").headers
        assert "set-cookie" in browser.get("/show").headers
        assert "set-cookie" not in browser.get("/show").headers


def test_remembered_cookies_are_bounded_and_cannot_be_changed_by_a_request() -> None:
    app = SessionMiddleware(Starlette(routes=[Route("/change", change, methods=["POST"])]), secret_key="secret")
    browser = TestClient(app)
    first = browser.post("/change", json={"count": {"nested": 1}}).cookies["session"]
    with browser:
        for _ in range(2):
            answer = browser.post("/change", json={"more": 1}, headers={"cookie": f"session={first}"}).json()
            assert answer == {"count": {"nested": 1}, "more": 1}
    for number in range(REMEMBERED_COOKIES + 10):
        app._cookies.open(app._cookies.seal({"number": number}), None)
    assert app._cookies._verify_once.cache_info().currsize == REMEMBERED_COOKIES


def test_a_cookie_that_browsers_would_drop_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        client().post("/change", json={"text": "x" * 5000})

    assert "browsers drop more than 4096" in caplog.text


def test_a_session_too_large_to_be_remembered_is_verified_each_time() -> None:
    kept = {"text": "x" * 4096}
    http = client()
    http.post("/change", json=kept)

    assert [http.get("/show").json() for _ in range(2)] == [kept, kept]


def test_a_websocket_reads_the_session() -> None:
    with client().websocket_connect("/ws", headers={"cookie": f"session={sealed({'name': 'Ada'})}"}) as websocket:
        assert websocket.receive_json() == {"name": "Ada"}


def test_what_the_client_may_read_is_plain_json() -> None:
    assert json.loads(base64.b64decode(sealed({"name": "Ada"}).partition(".")[0])) == {"name": "Ada"}


def test_only_changes_mark_a_session_as_modified() -> None:
    session = Session(a=1)
    session.get("a")
    session.pop("missing", None)
    session.setdefault("a", 2)
    assert not session.modified

    changes: tuple[Callable[[Session], Any], ...] = (
        lambda s: s.pop("a"),
        lambda s: s.setdefault("b", 1),
        lambda s: s.update(b=1),
        lambda s: s.__setitem__("b", 1),
        lambda s: s.__delitem__("a"),
        lambda s: s.popitem(),
        lambda s: s.clear(),
        lambda s: s.__ior__({"b": 1}),
    )
    for change_session in changes:
        session = Session(a=1)
        change_session(session)
        assert session.modified


async def test_sessions_work_on_both_event_loops() -> None:
    browser = AsyncTestClient(client().app, base_url="https://slipway.test")
    await browser.post("/change", json={"name": "Ada"})

    assert (await browser.get("/show")).json() == {"name": "Ada"}


@pytest.mark.parametrize(
    "fields",
    [
        ["session=a"],
        ["session=a; session=b"],
        ["session=a", "other=session", "session=c"],
        ["xsession=a; session", "session ; =session"],
        ['session="a\\054b"; session_2=c'],
        ["__Host-session=a; __Host-session=b"],
        ["", ";;", "a=b"],
    ],
)
@pytest.mark.parametrize("name", ["session", "__Host-session"])
def test_one_cookie_is_found_as_reading_all_of_them_finds_it(fields: list[str], name: str) -> None:
    headers = [(b"cookie", field.encode()) for field in fields]

    assert find_cookie(headers, name) == cookie_parser("; ".join(fields)).get(name)
