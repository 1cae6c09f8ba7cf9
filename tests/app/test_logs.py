"""What the logs say, and what they never say: canaries go through every way in, and the whole log is searched for them."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.database import Database
from app.jobs.actions import enqueue
from app.jobs.registry import JobContext, get_job
from app.jobs.worker import Worker
from app.main import create_app
from app.policy import public
from core.datastructures import Secret
from core.requests import Request
from core.responses import Response
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.databases import RolledBackDatabase

CANARY = "canary-7f3a9c"
ESCAPE = "\x1b"
FIELDS = ("password", "new_password", "code", "token", "email", "name", "secret", "card", "url")
FORMS = (
    "/log-in",
    "/log-in/code",
    "/log-in/two-factor",
    "/sign-up",
    "/forgot-password",
    "/reset-password",
    "/confirm-identity",
    "/account/password",
    "/account/tokens",
    "/api/v1/me",
    "/graphql",
    "/fail",
    "/nowhere",
)


async def fail(request: Request) -> Response:
    """A mistake in a handler that has everything in its hands."""
    form = await request.form()
    raise RuntimeError("A mistake, which says nothing of the request.") if form else ValueError("no form")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is written, as in production: one JSON object a line."""
    written = io.StringIO()
    before = list(logging.getLogger().handlers)
    yield written
    logging.getLogger().handlers = before


@pytest.fixture
async def client(settings: Settings, database: RolledBackDatabase, log: io.StringIO) -> AsyncIterator[AsyncTestClient]:
    app = create_app(
        replace(settings, environment="production", log_level="debug", metrics_token=Secret(CANARY)), database=database
    )
    app.router.routes.append(public(Route("/fail", fail, name="tests.fail", methods=["GET", "POST"])))
    ours = next(each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler)
    ours.setStream(log)
    async with AsyncTestClient(
        app, base_url=settings.base_url, raise_server_exceptions=False, follow_redirects=False
    ) as client:
        yield client


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.requirement("LOG-1")
async def test_log_1_what_people_send_is_never_in_the_log(client: AsyncTestClient, log: io.StringIO, path: str) -> None:
    form = dict.fromkeys(FIELDS, f"{CANARY}@example.com")
    cookies = f"__Host-session={CANARY}; __Host-state={CANARY}; __Host-device={CANARY}"

    await client.post(path, data=form, headers={"cookie": cookies})
    await client.post(path, json=form, headers={"authorization": f"Bearer {CANARY}"})
    await client.get(path, params={"token": CANARY, "code": CANARY}, headers={"authorization": f"Basic {CANARY}"})
    await client.get(path, headers={"x-api-key": CANARY, "x-csrf-token": CANARY, "referer": f"https://a/?t={CANARY}"})

    assert [line for line in lines(log) if line["event"] == "request"]
    assert CANARY not in log.getvalue()


@pytest.mark.requirement("LOG-1")
async def test_log_1_a_failure_is_logged_with_its_id_and_without_what_was_sent(
    client: AsyncTestClient, log: io.StringIO
) -> None:
    answer = await client.post("/fail", data={"password": CANARY})

    failure = next(line for line in lines(log) if line["event"] == "request.failed")
    assert answer.status_code == 500
    assert failure["request_id"] == answer.headers["x-request-id"]
    assert "RuntimeError" in json.dumps(failure["exception"])
    assert CANARY not in log.getvalue()


@pytest.mark.parametrize("path", ["/%0aINFO%20forged", "/%1b%5b31mred", "/%e2%80%a8separator", "/%00", "/%0d%0aX: y"])
@pytest.mark.requirement("LOG-1")
async def test_log_1_control_characters_forge_no_line(client: AsyncTestClient, log: io.StringIO, path: str) -> None:
    await client.get(path, headers={"user-agent": "x\tforged"})

    requests = [line for line in lines(log) if line["event"] == "request"]
    assert len(requests) == 1
    assert not set(log.getvalue()) & {ESCAPE, "\r", "\x00", "\u2028"}


@pytest.mark.requirement("LOG-1")
async def test_log_1_the_readable_form_escapes_them_too(
    settings: Settings, database: RolledBackDatabase, log: io.StringIO
) -> None:
    app = create_app(replace(settings, log_level="info"), database=database)
    ours = next(each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler)
    ours.setStream(log)
    async with AsyncTestClient(app, base_url=settings.base_url) as client:
        await client.get("/%0aINFO%20forged%1b%5b31m")

    assert len(log.getvalue().splitlines()) == 1
    assert ESCAPE not in log.getvalue()


@pytest.mark.requirement("LOG-2")
async def test_log_2_settings_and_failed_statements_show_no_values(
    settings: Settings, client: AsyncTestClient, log: io.StringIO, database: RolledBackDatabase
) -> None:
    changed = replace(settings, secret_key=Secret(CANARY), metrics_token=Secret(CANARY), database_url=CANARY)
    structlog.get_logger("tests").error("settings", settings=changed, secret=changed.secret_key)

    try:
        async with database.transaction() as db, db.begin_nested():
            await db.execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": CANARY})
    except SQLAlchemyError:
        structlog.get_logger("tests").exception("statement")

    assert len(lines(log)) == 2
    assert CANARY not in log.getvalue()


async def test_a_jobs_lines_have_the_id_of_the_request_that_asked_for_it(
    settings: Settings, fresh_database: Database
) -> None:
    known: list[dict[str, object]] = []

    async def note(context: JobContext) -> None:
        known.append(structlog.contextvars.get_contextvars())

    noting = replace(get_job("jobs.trim_log"), handler=note)
    with structlog.contextvars.bound_contextvars(request_id="of-the-request"):
        async with fresh_database.transaction() as db:
            await enqueue(db, noting.name)
    async with asyncio.timeout(20):
        await Worker(settings, fresh_database, jobs=[noting]).drain()

    assert [(each["request_id"], each["job"]) for each in known] == [("of-the-request", noting.name)]
