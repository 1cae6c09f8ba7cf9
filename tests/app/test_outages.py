"""What people meet while the database is away: 503 within two seconds, never 500, and everything as before afterwards."""

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.config import Settings
from app.database import REQUESTS, Database
from app.main import create_app
from app.outages import is_outage
from app.policy import public
from app.reads import Read
from core.requests import Request
from core.responses import Response
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.databases import DatabaseServer, new_database_name
from tests.drills.fault_proxy import FaultProxy

LONGEST_WAIT = 2.0  # Seconds that anybody waits to hear that the database is away.
MARGIN = 1.0  # For a machine that is busy with other tests.
LOG_IN = {"email": "ada@example.com", "password": "three boats on the river"}
NOW = Read(select(func.now()))


@pytest.fixture(scope="module")
async def settings(settings: Settings, server: DatabaseServer, anyio_backend: str) -> AsyncIterator[Settings]:
    """With a database of its own, because what is cut off here may have been committed, and others count rows."""
    name = new_database_name(server)
    await server.create_database(name)
    yield replace(settings, database_url=server.application_url(name))
    await server.drop_database(name)


@pytest.fixture
async def line(settings: Settings) -> AsyncIterator[FaultProxy]:
    """The line to the database."""
    url = make_url(settings.database_url)
    async with FaultProxy(str(url.host), int(url.port or 5432)) as line:
        yield line


def over(line: FaultProxy, settings: Settings) -> str:
    return make_url(settings.database_url).set(port=line.port).render_as_string(hide_password=False)


@pytest.fixture
async def database(line: FaultProxy, settings: Settings) -> AsyncIterator[Database]:
    database = Database(over(line, settings), pool_size=2, patience=REQUESTS)
    yield database
    await database.close()


@pytest.fixture
async def client(line: FaultProxy, settings: Settings) -> AsyncIterator[AsyncTestClient]:
    app = create_app(replace(settings, database_url=over(line, settings)))
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        yield client


async def ask_the_orm(database: Database) -> None:
    async with database.transaction() as db:
        await db.execute(text("SELECT 1"))


async def ask_by_a_read(database: Database) -> None:
    async with database.transaction() as db:
        await NOW.all(db)


async def ask_in_a_savepoint(database: Database) -> None:
    async with database.transaction() as db, db.begin_nested():
        await db.execute(text("SELECT 1"))


ASKING = (ask_the_orm, ask_by_a_read, ask_in_a_savepoint)


async def seconds_until_refused(database: Database, number: int) -> float:
    began = time.perf_counter()
    with pytest.raises(Exception) as refused:  # noqa: PT011 (which class it is depends on who noticed first)
        await ASKING[number % 3](database)
    assert is_outage(refused.value), repr(refused.value)
    return time.perf_counter() - began


@pytest.mark.requirement("REL-3")
async def test_rel_3_a_silent_line_costs_nobody_more_than_two_seconds_and_no_place_in_the_pool(
    database: Database, line: FaultProxy
) -> None:
    await asyncio.gather(*(ask(database) for ask in ASKING))
    line.swallow()

    waits = await asyncio.gather(*(seconds_until_refused(database, number) for number in range(24)))
    line.flow()

    assert max(waits) < LONGEST_WAIT + MARGIN
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    await asyncio.gather(*(ask(database) for ask in ASKING))


@pytest.mark.requirement("REL-2")
async def test_rel_2_after_all_connections_were_reset_no_request_fails(database: Database, line: FaultProxy) -> None:
    await asyncio.gather(*(ask(database) for ask in ASKING))

    line.reset()
    await asyncio.sleep(0.05)  # The driver hears of it from the loop.

    await asyncio.gather(*(ask(database) for ask in ASKING))


async def refuse(line: FaultProxy) -> None:
    line.refuse()
    line.reset()


async def swallow(line: FaultProxy) -> None:
    line.swallow()


@pytest.mark.parametrize("fault", [refuse, swallow])
@pytest.mark.requirement("REL-2", "REL-3", "REL-16")
async def test_rel_2_without_a_database_pages_and_programs_get_503_and_the_process_lives(
    client: AsyncTestClient, line: FaultProxy, fault: Callable[[FaultProxy], Awaitable[None]]
) -> None:
    assert (await client.post("/log-in", data=LOG_IN)).status_code == 422
    await fault(line)

    page = await client.post("/log-in", data=LOG_IN, headers={"accept": "text/html"})
    document = await client.post("/log-in", data=LOG_IN, headers={"accept": "application/json"})

    for answer in (page, document):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.elapsed.total_seconds() < LONGEST_WAIT + MARGIN
    assert "<h1>" in page.text
    assert document.json()["status"] == 503
    assert (await client.get("/healthz")).status_code == 200


async def test_statement_that_takes_too_long_is_an_outage(client: AsyncTestClient) -> None:
    async def sleep(request: Request) -> Response:
        async with request.app.state.database.transaction() as db:
            await db.execute(text("SELECT pg_sleep(10)"))
        return Response()

    client.app.router.routes.append(public(Route("/sleep", sleep, name="tests.sleep")))  # type: ignore[attr-defined]

    assert (await client.get("/sleep")).status_code == 503


@pytest.mark.requirement("REL-6")
async def test_rel_6_when_every_place_is_taken_others_are_told_within_a_second(database: Database) -> None:
    holding = [asyncio.create_task(hold(database, 1.0)) for _ in range(7)]
    await asyncio.sleep(0.2)
    waited = await seconds_until_refused(database, 0)

    assert waited < 1.0 + MARGIN
    await asyncio.gather(*holding)
    await ask_the_orm(database)


async def hold(database: Database, seconds: float) -> None:
    async with database.transaction() as db:
        await db.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})


def wrapped(error: Exception) -> DBAPIError:
    cause = DBAPIError("SELECT 1", None, error)
    cause.__cause__ = error
    return cause


@pytest.mark.parametrize(
    "error",
    [
        PoolTimeout(),
        TimeoutError(),
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        socket.gaierror(-2, "unknown"),
        OSError("Multiple exceptions: refused, refused"),
        OSError(errno.ENOSPC, "full"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.TooManyConnectionsError("too many"),
        asyncpg.InterfaceError("connection is closed"),
        wrapped(asyncpg.DiskFullError("could not extend file")),
        wrapped(asyncpg.AdminShutdownError("restart")),
        wrapped(asyncpg.QueryCanceledError("statement timeout")),
        wrapped(asyncpg.ReadOnlySQLTransactionError("standby")),
        wrapped(asyncpg.DeadlockDetectedError("deadlock")),
    ],
    ids=lambda error: f"{type(error).__name__}-{type(error.__cause__).__name__}",
)
@pytest.mark.requirement("REL-2", "REL-13")
def test_rel_13_what_may_go_well_in_a_moment_is_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        wrapped(asyncpg.UniqueViolationError("taken")),
        wrapped(asyncpg.UndefinedTableError("no such table")),
        IntegrityError("INSERT", None, asyncpg.UniqueViolationError("taken")),
        FileNotFoundError(errno.ENOENT, "missing"),
        PermissionError(errno.EACCES, "forbidden"),
        ValueError("wrong"),
    ],
    ids=lambda error: f"{type(error).__name__}-{type(error.__cause__).__name__}",
)
def test_a_mistake_is_no_outage(error: Exception) -> None:
    assert not is_outage(error)
