"""Problem documents, and the choice between a document and a page."""

import json
from typing import Any

import pytest

from core.exceptions import HTTPException
from core.problems import (
    InvalidInput,
    Problem,
    ProblemHandler,
    ProblemResponse,
    prefers_html,
    problem_document,
    problem_response,
)
from core.requests import Request
from core.responses import HTMLResponse, Response

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def request(path: str = "/", accept: str | None = None, **scope: Any) -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request({"type": "http", "method": "GET", "path": path, "headers": headers, **scope})


def document(response: Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    members: dict[str, Any] = json.loads(bytes(response.body))
    return members


def test_an_exception_becomes_a_document_with_its_status_and_title() -> None:
    assert problem_document(HTTPException(404)) == {"type": "about:blank", "title": "Not Found", "status": 404}
    assert problem_document(HTTPException(404, "No such project."))["detail"] == "No such project."


def test_a_problem_has_its_own_type_title_and_members() -> None:
    members: dict[str, Any] = {"instance": "/projects", "name": "acme"}
    problem = Problem(409, "It is taken.", title="Name taken", type="/problems/name-taken", **members)
    assert problem_document(problem) == {
        "type": "/problems/name-taken",
        "title": "Name taken",
        "status": 409,
        "detail": "It is taken.",
        "instance": "/projects",
        "name": "acme",
    }


def test_members_of_the_standard_cannot_be_overwritten() -> None:
    assert problem_document(Problem(409, status=200))["status"] == 409


def test_an_unregistered_status_has_a_title_too() -> None:
    assert problem_document(HTTPException(499))["title"] == "Status 499"


def test_a_response_keeps_the_headers_of_the_refusal() -> None:
    response = problem_response(HTTPException(429, headers={"Retry-After": "7"}))
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert document(response)["status"] == 429


def test_a_refusal_without_a_body_stays_without() -> None:
    response = problem_response(HTTPException(304))
    assert (response.status_code, response.body) == (304, b"")


def test_values_that_json_does_not_know_become_text() -> None:
    assert json.loads(bytes(ProblemResponse({"path": object}).body)) == {"path": "<class 'object'>"}


def test_invalid_input_lists_its_errors() -> None:
    errors = [{"in": "query", "pointer": "#/page", "code": "missing", "detail": "Field required"}]
    refusal = InvalidInput(errors)
    assert refusal.extensions["errors"] == errors
    assert problem_document(refusal)["errors"] == errors


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER, True),
        ("", True),
        ("*/*", True),
        ("text/*", True),
        ("application/json", False),
        ("application/problem+json", False),
        ("application/*", False),
        ("application/json, text/html;q=0.9", False),
        ("application/json;q=0.5, text/html", True),
        ("text/html;q=0, */*", False),
        ("text/html; level=1; q=0.3, application/json; q=0.4", False),
        ("image/png", False),
        ("text/html;q=nan", False),
        ("text/html;q=\x1e0.5", False),
        ("text/html;q=-1", False),
        (",;q=1,", True),
    ],
)
def test_accept_chooses_between_html_and_json(accept: str, html: bool) -> None:
    assert prefers_html(accept) is html


def page(request: Request, error: HTTPException) -> Response:
    return HTMLResponse(f"<h1>{error.status_code} {error.detail}</h1>", status_code=error.status_code)


async def async_page(request: Request, error: HTTPException) -> Response:
    return page(request, error)


@pytest.mark.parametrize("render", [page, async_page])
async def test_a_browser_gets_the_page_and_a_program_the_document(render: Any) -> None:
    handler = ProblemHandler(page=render)
    shown = await handler(request("/projects", BROWSER), HTTPException(404))
    assert shown.body == b"<h1>404 Not Found</h1>"
    assert document(await handler(request("/projects", "application/json"), HTTPException(404)))["status"] == 404


@pytest.mark.parametrize("path", ["/api", "/api/v1/missing"])
async def test_the_api_answers_browsers_with_documents_too(path: str) -> None:
    assert document(await ProblemHandler(page=page)(request(path, BROWSER), HTTPException(404)))["status"] == 404


async def test_a_path_that_only_begins_like_the_api_is_a_page() -> None:
    assert (await ProblemHandler(page=page)(request("/apiary", BROWSER), HTTPException(404))).media_type == "text/html"


async def test_without_a_page_everything_is_a_document() -> None:
    assert document(await ProblemHandler()(request("/", BROWSER), HTTPException(403)))["status"] == 403


async def test_an_unexpected_exception_says_nothing_but_the_requests_id() -> None:
    response = await ProblemHandler()(request(request_id="abc"), KeyError("secret"))
    assert response.status_code == 500
    members = document(response)
    assert members["request_id"] == "abc"
    assert "secret" not in str(members)
    assert "request_id" not in document(await ProblemHandler()(request(), KeyError()))
