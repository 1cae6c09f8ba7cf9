"""What holds for every answer of the product, whatever page it is: headers, error pages, and that bad input is never a 500."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.dependencies import CurrentUser
from app.accounts.models import LONGEST_NAME
from app.config import Settings
from app.database import Db
from app.main import MAX_BODY_SIZE, create_app
from core.applications import Starlette
from core.exceptions import HTTPException
from core.responses import Response
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.app.conftest import SECRET_OF_THE_FAILURE

BROWSER = {"accept": "text/html,application/xhtml+xml"}
PROGRAM = {"accept": "application/json"}
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/static/css/app.css", 200),
        ("GET", "/nowhere", 404),
        ("PUT", "/log-in", 405),
        ("GET", "/o/somebody", 303),
        ("GET", "/fail", 500),
    ],
)
@pytest.mark.requirement("HDR-1")
async def test_hdr_1_every_answer_has_the_security_headers(
    failing_client: AsyncTestClient, method: str, path: str, status: int
) -> None:
    answer = await failing_client.request(method, path)

    assert answer.status_code == status
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
    assert "max-age=63072000; includeSubDomains" in answer.headers["strict-transport-security"]
    assert answer.headers["x-request-id"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in answer.headers


@pytest.mark.requirement("XSS-2")
async def test_xss_2_a_nonce_is_never_used_twice(client: AsyncTestClient) -> None:
    policies = {(await client.get("/")).headers["content-security-policy"] for _ in range(20)}

    assert len(policies) == 20


@pytest.mark.parametrize(
    "path", ["/", "/pricing", "/log-in", "/sign-up", "/forgot-password", "/legal/terms", "/nowhere"]
)
@pytest.mark.requirement("SES-5")
async def test_ses_5_a_stranger_gets_no_cookie(client: AsyncTestClient, path: str) -> None:
    assert "set-cookie" not in (await client.get(path)).headers


@pytest.mark.requirement("ERR-1")
async def test_err_1_a_failure_says_its_request_id_and_nothing_of_the_program(failing_client: AsyncTestClient) -> None:
    page = await failing_client.get("/fail", headers=BROWSER)
    document = await failing_client.get("/fail", headers=PROGRAM)

    assert page.headers["x-request-id"] in page.text
    assert document.headers["content-type"] == "application/problem+json"
    assert document.json()["request_id"] == document.headers["x-request-id"]
    for answer in (page, document):
        assert answer.status_code == 500
        assert SECRET_OF_THE_FAILURE not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.requirement("ERR-1")
async def test_a_failure_of_the_database_for_somebody_who_is_logged_in_has_its_page_too(
    failing_client: AsyncTestClient, app: Starlette, db: AsyncSession
) -> None:
    async def fail_in_the_database(user: CurrentUser, db: Db) -> Response:
        user.name = "x" * (LONGEST_NAME + 1)  # The database refuses it, and the rollback expires what was loaded.
        await db.flush()
        return Response()

    app.router.routes.append(Route("/fail/database", fail_in_the_database, name="tests.fail_in_the_database"))
    await add_person(db)
    await log_in(failing_client)
    page = await failing_client.get("/fail/database", headers=BROWSER)

    assert page.status_code == 500
    assert page.headers["x-request-id"] in page.text


async def test_a_refusal_because_of_what_the_database_refused_has_its_page_too(
    failing_client: AsyncTestClient, app: Starlette, db: AsyncSession
) -> None:
    async def refuse_what_the_database_refused(user: CurrentUser, db: Db) -> Response:
        user.name = "x" * (LONGEST_NAME + 1)
        try:
            await db.flush()
        except DBAPIError:
            raise HTTPException(409) from None
        return Response()

    app.router.routes.append(Route("/refuse", refuse_what_the_database_refused, name="tests.refuse"))
    await add_person(db)
    await log_in(failing_client)

    assert (await failing_client.get("/refuse", headers=BROWSER)).status_code == 409


async def test_people_get_a_page_and_programs_a_problem_document(client: AsyncTestClient) -> None:
    page = await client.get("/nowhere", headers=BROWSER)
    document = await client.get("/nowhere", headers=PROGRAM)
    api = await client.get("/api/nowhere", headers=BROWSER)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<a class="button' in page.text
    for answer in (document, api):
        assert answer.status_code == 404
        assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404}


@pytest.mark.parametrize("host", ["evil.example", "slipway.test/x?y=", "a@slipway.test", "slipway.test:99999x", ""])
@pytest.mark.requirement("HST-1")
async def test_hst_1_an_unknown_host_is_refused(client: AsyncTestClient, host: str) -> None:
    answer = await client.get("/", headers={"host": host})

    assert answer.status_code == 400
    assert "evil" not in answer.text


async def test_probes_are_answered_whatever_the_host(client: AsyncTestClient) -> None:
    alive = await client.get("/healthz", headers={"host": "10.2.3.4:8000"})
    ready = await client.get("/readyz", headers={"host": "10.2.3.4:8000"})

    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


@pytest.mark.requirement("LIM-2")
async def test_lim_2_a_body_over_the_limit_is_refused_with_a_page(client: AsyncTestClient) -> None:
    answer = await client.post("/log-in", data={"email": "a" * MAX_BODY_SIZE}, headers=BROWSER)

    assert answer.status_code == 413
    assert "<h1>" in answer.text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A" * 10_000),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x--"),
        ("application/x-www-form-urlencoded", b"email=%ff%fe&password=%00"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(2000))),
        ("application/x-www-form-urlencoded; charset=utf-7", b"email=+AGE-"),
        ("application/json", b"{"),
        ("text/plain", b"email=ada@example.com"),
        ("", b"\x00\x01"),
    ],
)
@pytest.mark.parametrize("path", ["/log-in", "/sign-up", "/forgot-password", "/reset-password", "/verify-email"])
@pytest.mark.requirement("ERR-1")
async def test_malformed_bodies_are_the_senders_fault(
    client: AsyncTestClient, path: str, content_type: str, body: bytes
) -> None:
    answer = await client.post(path, content=body, headers={"content-type": content_type, **BROWSER})

    assert 400 <= answer.status_code < 500, answer.status_code


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/%ff",
        "/o/%00",
        "/o/%ff",
        "/%2e%2e/etc/passwd",
        "/static/%2e%2e/app/main.py",
        "/o/" + "a" * 5000,
        "/legal/%0a",
        "https://slipway.test//evil.example/",
    ],
)
async def test_odd_paths_are_not_found(client: AsyncTestClient, path: str) -> None:
    answer = await client.get(path, headers=BROWSER)

    assert answer.status_code in (303, 404), answer.status_code
    assert "evil" not in answer.headers.get("location", "")


@pytest.mark.parametrize(
    "query", ["token=%00", "token=%ff", "next=//evil.example", "token=" + "a" * 5000, "%ff=%ff", "a=1" * 500]
)
@pytest.mark.parametrize("path", ["/log-in", "/verify-email", "/reset-password", "/sign-up"])
async def test_odd_queries_break_nothing(client: AsyncTestClient, path: str, query: str) -> None:
    answer = await client.get(f"{path}?{query}", headers=BROWSER)

    assert answer.status_code < 500
    assert "evil" not in answer.headers.get("location", "")


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=40), email=st.text(max_size=40), password=st.text(max_size=40))
@pytest.mark.requirement("ERR-1")
async def test_err_1_whatever_is_typed_is_no_failure(
    client: AsyncTestClient, name: str, email: str, password: str
) -> None:
    body = json.dumps([name, email, password]).encode("utf-8", "surrogatepass")
    fields = {"name": name, "email": email, "password": password}
    encoded = {key: value.encode("utf-8", "surrogatepass").decode("latin-1") for key, value in fields.items()}

    assert (await client.post("/sign-up", data=encoded)).status_code < 500
    assert (await client.post("/log-in", content=body, headers={"content-type": "application/json"})).status_code < 500


@pytest.mark.requirement("HDR-2")
async def test_hdr_2_what_belongs_to_somebody_is_never_stored(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)

    for path in ("/o", "/", "/pricing", "/o/ada-lovelace"):
        assert (await client.get(path)).headers["cache-control"] == "no-store", path


def test_the_application_is_built_from_the_environment_alone(settings: Settings) -> None:
    names = {getattr(route, "name", "") for route in create_app(settings).routes}

    assert {"health.alive", "accounts.log_in", "organizations.dashboard", "site.landing", "email.mailbox"} <= names


def test_production_has_no_routes_for_developers(settings: Settings) -> None:
    import dataclasses

    production = dataclasses.replace(settings, environment="production")
    paths = {getattr(route, "path", "") for route in create_app(production).routes}

    assert not [path for path in paths if path.startswith("/dev")]
