import re
from typing import Any

import pytest

from core.applications import Starlette
from core.middleware import Middleware
from core.middleware.requestid import RequestIdMiddleware, request_id
from core.requests import HTTPConnection, Request
from core.responses import PlainTextResponse, Response
from core.routing import Route
from core.testclient import TestClient


async def show(request: Request) -> Response:
    return PlainTextResponse(request_id(request), headers={"x-request-id": "of the handler"})


async def fail(request: Request) -> Response:
    raise ValueError("broken")


def client(**options: Any) -> TestClient:
    app = Starlette(
        routes=[Route("/", show), Route("/fail", fail)],
        middleware=[Middleware(RequestIdMiddleware, **options)],
        error_responses_inside_middleware=True,
    )
    return TestClient(app, raise_server_exceptions=False)


def test_each_request_has_an_id_of_its_own_in_the_scope_and_the_response() -> None:
    first, second = client().get("/"), client().get("/")

    assert re.fullmatch("[0-9a-f]{32}", first.text)
    assert first.headers.get_list("x-request-id") == [first.text]
    assert first.text != second.text


def test_errors_have_an_id_too() -> None:
    for path, status_code in (("/missing", 404), ("/fail", 500)):
        response = client().get(path)
        assert response.status_code == status_code
        assert len(response.headers["x-request-id"]) == 32


def test_an_incoming_id_is_not_believed_unless_configured() -> None:
    headers = {"x-request-id": "abc-123"}

    assert client().get("/", headers=headers).text != "abc-123"
    assert client(accept_incoming=True).get("/", headers=headers).text == "abc-123"


@pytest.mark.parametrize("value", ["", "a b", "a" * 65, "a\x1b[31m", "é", "<script>", "a,b"])
def test_cve_uvicorn_2020_7694_an_incoming_id_cannot_write_into_the_logs(value: str) -> None:
    text = client(accept_incoming=True).get("/", headers=[(b"x-request-id", value.encode("latin-1"))]).text

    assert re.fullmatch("[0-9a-f]{32}", text)


def test_two_incoming_ids_are_none() -> None:
    headers = [("x-request-id", "one"), ("x-request-id", "two")]

    assert len(client(accept_incoming=True).get("/", headers=headers).text) == 32


def test_without_the_middleware_the_id_is_empty() -> None:
    assert request_id(HTTPConnection({"type": "http", "headers": []})) == ""
