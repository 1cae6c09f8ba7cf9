import importlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from core.exceptions import StarletteDeprecationWarning
from core.testclient import AsyncTestClient, TestClient
from tests.core.connections import Sent, body_of, websocket_scope

with warnings.catch_warnings():
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from core.middleware import wsgi

Environ = dict[str, Any]


def echo(environ: Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
    start_response("201 Created", [("Content-Type", "text/plain"), ("X-Method", environ["REQUEST_METHOD"])])
    return [environ["wsgi.input"].read(), b"!"]


def fail(environ: Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
    raise ValueError("broken")


def answer_own_error(environ: Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
    try:
        raise ValueError("broken")
    except ValueError:
        information = sys.exc_info()
        start_response("500 Internal Server Error", [], information)
    return [b"sorry"]


def use_write(environ: Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])(b"written ")
    return [b"returned"]


def forget_start(environ: Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
    return [b"body"]


class Closing:
    closed = False

    def __call__(self, environ: Environ, start_response: wsgi.StartResponse) -> "Closing":
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Iterator[bytes]:
        yield b"body"

    def close(self) -> None:
        self.closed = True


def test_importing_the_module_warns_that_it_will_go() -> None:
    with pytest.warns(StarletteDeprecationWarning, match="a2wsgi"):
        importlib.reload(wsgi)


async def test_a_wsgi_application_answers_on_both_event_loops() -> None:
    response = await AsyncTestClient(wsgi.WSGIMiddleware(echo)).post("/", content=b"hello")

    assert (response.status_code, response.text, response.headers["x-method"]) == (201, "hello!", "POST")


def test_parts_may_be_written_and_returned() -> None:
    assert TestClient(wsgi.WSGIMiddleware(use_write)).get("/").text == "written returned"


def test_the_iterable_is_closed() -> None:
    app = Closing()

    assert TestClient(wsgi.WSGIMiddleware(app)).get("/").text == "body"
    assert app.closed


def test_an_error_before_the_response_is_raised_and_leaves_no_response() -> None:
    with pytest.raises(ValueError, match="broken"):
        TestClient(wsgi.WSGIMiddleware(fail)).get("/")
    with pytest.raises(AssertionError, match="without calling start_response"):
        TestClient(wsgi.WSGIMiddleware(forget_start)).get("/")


def test_an_error_that_the_application_answers_is_answered_and_raised() -> None:
    with pytest.raises(ValueError, match="broken"):
        TestClient(wsgi.WSGIMiddleware(answer_own_error)).get("/")
    response = TestClient(wsgi.WSGIMiddleware(answer_own_error), raise_server_exceptions=False).get("/")
    assert (response.status_code, response.text) == (500, "sorry")


def scope(**values: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/é",
        "query_string": b"a=1",
        "headers": [],
        **values,
    }


def test_the_environment_says_what_the_scope_says() -> None:
    headers = [(b"content-type", b"text/plain"), (b"x-list", b"1"), (b"x-list", b"2")]
    environ = wsgi.build_environ(
        scope(headers=headers, root_path="/app", path="/app/é", client=("10.0.0.1", 1)), b"body"
    )

    assert environ["SCRIPT_NAME"] == "/app"
    assert environ["PATH_INFO"] == "/é".encode().decode("latin-1")
    assert environ["QUERY_STRING"] == "a=1"
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert environ["HTTP_X_LIST"] == "1,2"
    assert environ["REMOTE_ADDR"] == "10.0.0.1"
    assert environ["wsgi.input"].read() == b"body"


def test_cve_django_2026_3902_a_header_with_an_underscore_cannot_pose_as_one_with_a_hyphen() -> None:
    environ = wsgi.build_environ(scope(headers=[(b"x_user", b"admin"), (b"x-user", b"ada")]), b"")

    assert environ["HTTP_X_USER"] == "ada"


async def test_other_scopes_than_http_are_refused() -> None:
    with pytest.raises(RuntimeError, match="cannot serve a scope of type 'websocket'"):
        await wsgi.WSGIMiddleware(echo)(websocket_scope(), body_of(), Sent())


def test_an_error_after_the_first_part_is_raised_as_it_was() -> None:
    def fail_late(environ: Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])(b"part")
        try:
            raise ValueError("late")
        except ValueError:
            start_response("500 Internal Server Error", [], sys.exc_info())
        return []

    with pytest.raises(ValueError, match="late"):
        TestClient(wsgi.WSGIMiddleware(fail_late)).get("/")


def test_a_second_start_without_an_error_is_a_mistake() -> None:
    def start_twice(environ: Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    with pytest.raises(AssertionError, match="called twice"):
        TestClient(wsgi.WSGIMiddleware(start_twice)).get("/")


def test_empty_parts_do_not_begin_the_response() -> None:
    def hesitate(environ: Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b""
        try:
            raise ValueError("broken")
        except ValueError:
            start_response("503 Service Unavailable", [], sys.exc_info())
        yield b"sorry"

    client = TestClient(wsgi.WSGIMiddleware(hesitate), raise_server_exceptions=False)
    assert client.get("/").status_code == 503
