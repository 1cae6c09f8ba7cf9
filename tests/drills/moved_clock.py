"""The product's clock is two hours wrong, either way: people stay logged in, and jobs are done."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from app import clock
from app.config import Settings, load_settings
from app.database import Database
from app.jobs.actions import enqueue
from app.jobs.registry import JobContext, get_job, job
from app.jobs.worker import Worker
from app.main import create_app
from core.testclient import AsyncTestClient
from tests.conftest import SECRET_KEY
from tests.databases import database_server, worker_database
from tests.drills.product import PASSWORD, add_people_to

PERSON = "clock@example.com"
JOURNEYS = (timedelta(hours=2), timedelta(hours=-2))
LONGEST_SECONDS = 20


@job("drills.note_time")
async def note_time(context: JobContext) -> None:
    """Runs, whatever the clock says."""


def drill() -> list[str]:
    """Print a line for each journey; what was not as it should be."""
    with database_server() as server, worker_database(server) as name:
        return asyncio.run(_run(server.application_url(name)))


async def _run(url: str) -> list[str]:
    variables = {"ENVIRONMENT": "test", "SECRET_KEY": SECRET_KEY, "DATABASE_URL": url, "LOG_LEVEL": "error"}
    settings = load_settings(variables)
    database = Database(url)
    await add_people_to(database, [PERSON])
    problems = []
    app = create_app(settings, database=database)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        answer = await client.post("/log-in", data={"email": PERSON, "password": PASSWORD})
        if answer.status_code != 303:
            problems.append(f"nobody could log in: {answer.status_code}")
        for by in JOURNEYS:
            with clock.travel(by):
                problems += [f"{by}: {problem}" for problem in await _problems(client, settings, database)]
            print(f"clock moved by {by.total_seconds() / 3600:+.0f} h: {len(problems)} problems")  # noqa: T201
    await database.close()
    return problems


async def _problems(client: AsyncTestClient, settings: Settings, database: Database) -> list[str]:
    found = []
    status = (await client.get("/account/profile")).status_code
    if status != 200:
        found.append(f"the session's page answered {status}")
    done: list[int] = []

    async def note(context: JobContext) -> None:
        done.append(context.attempt)

    registered = replace(get_job("drills.note_time"), handler=note)
    async with database.transaction() as db:
        await enqueue(db, registered.name)
        await enqueue(db, registered.name, run_at=clock.now() + timedelta(milliseconds=100))
    async with asyncio.timeout(LONGEST_SECONDS):
        await Worker(settings, database, jobs=[registered]).drain()
    return found if len(done) == 2 else [*found, f"{len(done)} of 2 jobs were done"]
