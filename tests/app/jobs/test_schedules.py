"""What is due by the clock: once over all workers, and once more, late, after a time without any."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from pydantic import create_model
from sqlalchemy import text

from app.config import Settings
from app.database import Database
from app.jobs.registry import JobContext, RegisteredJob
from app.jobs.worker import Worker
from tests.app.jobs.test_worker import PATIENCE, run_until

WORKERS = 4
WEEKLY = "0 3 * * 0"
EVERY_SECOND = "* * * * * *"
SCHEDULES = text("SELECT expression, next_run > now() AS is_ahead FROM pgqueuer_schedules")
MISS = text("UPDATE pgqueuer_schedules SET next_run = now() - interval '9 days'")


def due(handler: Callable[[JobContext], Awaitable[None]], schedule: str) -> RegisteredJob:
    return RegisteredJob("tests.due", handler, create_model("Nothing"), 1, timedelta(seconds=5), 0, schedule)


async def look_in(settings: Settings, database: Database, job: RegisteredJob) -> None:
    """Run a worker until it has told the queue of the schedule."""
    worker = Worker(settings, database, jobs=[job])
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        while not await schedules(database):
            await asyncio.sleep(0.02)  # Another task's statement; nothing tells when it is through.
        worker.stop()


async def schedules(database: Database) -> list[tuple[str, bool]]:
    async with database.transaction() as db:
        return [(row[0], row[1]) for row in await db.execute(SCHEDULES)]


@pytest.mark.requirement("REL-10")
async def test_what_was_missed_while_no_worker_ran_is_done_once(settings: Settings, fresh_database: Database) -> None:
    runs, has_run = [], asyncio.Event()

    async def note(context: JobContext) -> None:
        runs.append(1)
        has_run.set()

    await look_in(settings, fresh_database, due(note, WEEKLY))
    async with fresh_database.transaction() as db:
        await db.execute(MISS)
    await run_until(Worker(settings, fresh_database, jobs=[due(note, WEEKLY)]), has_run)

    assert runs == [1]
    assert await schedules(fresh_database) == [(WEEKLY, True)]


@pytest.mark.requirement("REL-10")
async def test_of_several_workers_one_puts_a_due_job_into_the_queue(
    settings: Settings, fresh_database: Database
) -> None:
    runs: list[datetime] = []
    enough = asyncio.Event()

    async def note(context: JobContext) -> None:
        async with context.database.transaction() as db:
            runs.append(await db.scalar(text("SELECT date_trunc('second', now())")) or datetime.min)
        if len(runs) == 3:
            enough.set()

    workers = [Worker(settings, fresh_database, jobs=[due(note, EVERY_SECOND)]) for _ in range(WORKERS)]
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run())
        await enough.wait()
        for worker in workers:
            worker.stop()

    assert len(set(runs)) == len(runs)


async def test_a_schedule_that_was_changed_replaces_the_earlier_one(
    settings: Settings, fresh_database: Database
) -> None:
    async def note(context: JobContext) -> None:
        pass

    await look_in(settings, fresh_database, due(note, WEEKLY))
    has_run = asyncio.Event()

    async def tell(context: JobContext) -> None:
        has_run.set()

    await run_until(Worker(settings, fresh_database, jobs=[due(tell, EVERY_SECOND)]), has_run)

    assert [expression for expression, _ in await schedules(fresh_database)] == [EVERY_SECOND]
