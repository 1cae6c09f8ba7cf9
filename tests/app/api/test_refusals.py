"""Every refusal of the API is a problem document, whoever refuses: the router, a middleware, a handler or a failure."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Refusal
from app.main import API_LIMIT, MAX_BODY_SIZE
from app.policy import public
from core.applications import Starlette
from core.requests import Request
from core.responses import Response
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.conftest import SECRET_OF_THE_FAILURE

ORGANIZATION = "/api/v1/organizations/ada-lovelace"


class Taken(Refusal):
    status_code = 409


async def take(request: Request) -> Response:
    raise Taken("Somebody was faster.")


@pytest.fixture
def refused(app: Starlette, failing_client: AsyncTestClient) -> AsyncTestClient:
    app.router.routes.append(public(Route("/api/v1/taken", take, name="tests.take")))
    return failing_client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/me", 401),
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api/nowhere", 404),
        ("DELETE", "/api/v1/me", 405),
        ("GET", "/api/v1/taken", 409),
        ("GET", "/api/v1/fail", 500),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_refusal_is_a_problem_whatever_is_accepted(
    refused: AsyncTestClient, method: str, path: str, status: int, accept: str
) -> None:
    answer = await refused.request(method, path, headers={"accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["status"] == status
    assert SECRET_OF_THE_FAILURE not in answer.text
    assert ("allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"name": "' + b"x" * MAX_BODY_SIZE + b'"}', "application/json", 413),
        (b'{"name": "a"}', "text/plain", 415),
        (b'{"name": 1}', "application/json", 422),
        (b"{", "application/json", 400),
    ],
)
async def test_a_bad_body_is_a_problem(
    refused: AsyncTestClient, db: AsyncSession, content: bytes, content_type: str, status: int
) -> None:
    await add_person(db)
    await log_in(refused)
    headers = {"content-type": content_type, "x-csrf-token": await csrf_token(refused)}
    answer = await refused.patch(ORGANIZATION, content=content, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_client_that_runs_wild_is_told_when_to_come_back(refused: AsyncTestClient) -> None:
    # While it asks, some of what it may ask comes back.
    answers = 0
    while (answer := await refused.get("/api/v1/taken")).status_code == 409 and answers < 3 * API_LIMIT.allowed:
        answers += 1

    assert answers >= API_LIMIT.allowed
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await refused.get("/api/docs")).status_code == 200
