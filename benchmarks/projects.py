"""`python -m benchmarks.projects`: the list of projects with ten rows against a page in the middle of ten thousand.

Whole requests through the production stack, in process, on a database of their own. Prints the ratio of the medians.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import text

from app.accounts.models import User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.config import load_settings
from app.database import Database
from app.main import create_app
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.app.projects.starting import API, start_many
from tests.conftest import SECRET_KEY
from tests.databases import DatabaseServer, database_server, worker_database

ROUNDS = 60  # With the way to the middle, all stay below the limit of 600 requests a minute.
FEW, MANY, PAGE = 10, 10_000, 10


async def measure(server: DatabaseServer, name: str) -> str:
    address = server.application_url(name)
    variables = {"ENVIRONMENT": "test", "SECRET_KEY": SECRET_KEY, "BASE_URL": "https://slipway.test"}
    settings = load_settings({**variables, "DATABASE_URL": address, "LOG_LEVEL": "error"})
    database = Database(address)
    lines = []
    async with database.transaction() as db:
        ada = await add_person(db)
        await start_many(db, ada, FEW)
    async with AsyncTestClient(create_app(settings, database=database), base_url=settings.base_url) as client:
        await log_in(client)
        first = await median(client, f"{API}?limit={PAGE}")
        await fill(database, ada)
        await analyze(server.owner_url(name))
        for sort in ("-created", "name", "due", "status"):
            ratio = await median(client, await middle(client, sort)) / first
            lines.append(f"{sort:10} a page in the middle of {MANY:,} / the first of {FEW}: {ratio:.2f}")
    await database.close()
    return "\n".join([f"the first page of {FEW}: {first * 1000:.2f} ms", *lines])


async def fill(database: Database, user: User) -> None:
    async with database.transaction() as db:
        await start_many(db, user, MANY, first=FEW)
        await record(db, "benchmarks.projects_started", actor_id=None, request=RequestFacts())


async def analyze(owner: str) -> None:
    """Count the rows as autovacuum soon would: a plan for ten rows is none for ten thousand."""
    database = Database(owner)
    async with database.transaction() as db:
        await db.execute(text("ANALYZE"))
    await database.close()


async def middle(client: AsyncTestClient, sort: str) -> str:
    """The address of a page that half of the projects stand before."""
    path = f"{API}?sort={sort}&limit=100"
    for _ in range(MANY // 200):
        path = (await client.get(path)).headers["link"].partition(">")[0].lstrip("<")
    return path.replace("limit=100", f"limit={PAGE}")


async def median(client: AsyncTestClient, path: str) -> float:
    """Seconds that half of the requests take at most."""
    (found,) = await medians(client, path)
    return found


async def medians(client: AsyncTestClient, *paths: str) -> list[float]:
    """The same of several, asked in turn: a moment in which the machine is busy meets all of them."""
    times: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(ROUNDS):
        for path in paths:
            begins = time.perf_counter()
            answer = await client.get(path)
            times[path].append(time.perf_counter() - begins)
            assert answer.status_code == 200, answer.text
    return [statistics.median(each) for each in times.values()]


def report(
    measure: Callable[[DatabaseServer, str], Coroutine[Any, Any, str]],
) -> None:  # Any: what a coroutine is made of.
    """Say what `measure` finds in a database of its own."""
    with database_server() as server, worker_database(server) as name:
        measured = asyncio.run(measure(server, name))
        sys.stdout.write(measured + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    report(measure)
