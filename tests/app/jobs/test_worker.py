"""The worker: runs what was committed, tries again, gives up into a person's hands, stops gracefully, survives its database."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model
from sqlalchemy import text

from app.config import Settings
from app.database import Database
from app.jobs.actions import enqueue
from app.jobs.registry import JobContext, RegisteredJob, RetryLater, get_job, job
from app.jobs.worker import FIRST_RETRY, LONGEST_RETRY, Worker, exponential_backoff, stopped_by_signals

AT_ONCE = timedelta(0)
PATIENCE = 20  # Seconds until a test counts as hanging.


@job("tests.worked_on")
async def worked_on(context: JobContext) -> None:
    """A name to enqueue by; each test gives its worker a handler of its own."""


def doing(handler: Callable[[JobContext], Awaitable[None]], attempts: int = 3, **changes: Any) -> RegisteredJob:
    return replace(get_job("tests.worked_on"), handler=handler, attempts=attempts, **changes)


async def enqueue_one(database: Database, **options: Any) -> None:
    async with database.transaction() as db:
        await enqueue(db, "tests.worked_on", **options)


async def statuses(database: Database) -> list[str]:
    async with database.transaction() as db:
        return [str(status) for status in await db.scalars(text("SELECT status FROM pgqueuer ORDER BY id"))]


async def test_a_committed_job_wakes_a_waiting_worker(settings: Settings, fresh_database: Database) -> None:
    is_idle, is_done = asyncio.Event(), asyncio.Event()

    async def note(context: JobContext) -> None:
        (is_done if is_idle.is_set() else is_idle).set()

    worker = Worker(settings, fresh_database, jobs=[doing(note)], look_every=timedelta(minutes=5))
    await enqueue_one(fresh_database)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        await is_idle.wait()
        # The worker looks by itself in five minutes; only NOTIFY can be faster than five seconds.
        async with asyncio.timeout(5):
            await enqueue_one(fresh_database)
            await is_done.wait()
        worker.stop()

    assert await statuses(fresh_database) == []


async def test_a_failing_job_is_tried_again_until_it_works(settings: Settings, fresh_database: Database) -> None:
    attempts: list[int] = []

    async def works_the_third_time(context: JobContext) -> None:
        attempts.append(context.attempt)
        if context.attempt < 3:
            raise ConnectionError("not yet")

    await enqueue_one(fresh_database)
    async with asyncio.timeout(PATIENCE):
        await Worker(settings, fresh_database, jobs=[doing(works_the_third_time)], backoff=lambda _: AT_ONCE).drain()

    assert attempts == [1, 2, 3]
    assert await statuses(fresh_database) == []


async def test_a_job_that_always_fails_is_held_for_a_person_after_its_last_attempt(
    settings: Settings, fresh_database: Database
) -> None:
    attempts: list[tuple[int, bool]] = []

    async def fails(context: JobContext) -> None:
        attempts.append((context.attempt, context.is_last_attempt))
        raise ConnectionError("never")

    await enqueue_one(fresh_database)
    async with asyncio.timeout(PATIENCE):
        await Worker(settings, fresh_database, jobs=[doing(fails)], backoff=lambda _: AT_ONCE).drain()

    assert attempts == [(1, False), (2, False), (3, True)]
    assert await statuses(fresh_database) == ["failed"]


async def test_the_wait_before_the_next_attempt_is_the_backoff_or_what_the_job_asks_for(
    settings: Settings, fresh_database: Database
) -> None:
    async def fails(context: JobContext) -> None:
        raise RetryLater("the provider is busy", timedelta(minutes=10))

    async def ask_wait() -> timedelta:
        async with fresh_database.transaction() as db:
            return await db.scalar(text("SELECT execute_after - updated FROM pgqueuer")) or timedelta(0)

    waits = []
    for backoff in (timedelta(minutes=1), timedelta(minutes=30)):
        await enqueue_one(fresh_database)
        has_failed = asyncio.Event()

        def after(attempt: int, backoff: timedelta = backoff, has_failed: asyncio.Event = has_failed) -> timedelta:
            has_failed.set()
            return backoff

        await run_until(Worker(settings, fresh_database, jobs=[doing(fails)], backoff=after), has_failed)
        waits.append(await ask_wait())
        async with fresh_database.transaction() as db:
            await db.execute(text("DELETE FROM pgqueuer"))

    assert [round(wait.total_seconds() / 60) for wait in waits] == [10, 30]


async def run_until(worker: Worker, event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        await event.wait()
        worker.stop()


async def test_a_job_that_takes_too_long_is_cancelled_and_counts_as_failed(
    settings: Settings, fresh_database: Database
) -> None:
    async def hangs(context: JobContext) -> None:
        await asyncio.Event().wait()

    await enqueue_one(fresh_database)
    stuck = doing(hangs, attempts=1, deadline=timedelta(milliseconds=50))
    async with asyncio.timeout(PATIENCE):
        await Worker(settings, fresh_database, jobs=[stuck]).drain()

    assert await statuses(fresh_database) == ["failed"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_running_job_finish_and_leaves_the_next_for_later(
    settings: Settings, fresh_database: Database, number: signal.Signals
) -> None:
    has_begun, may_finish = asyncio.Event(), asyncio.Event()
    finished: list[int] = []

    async def slow(context: JobContext) -> None:
        has_begun.set()
        await may_finish.wait()
        finished.append(1)

    worker = Worker(settings, fresh_database, jobs=[doing(slow)])
    await enqueue_one(fresh_database)
    with stopped_by_signals(worker):
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            group.create_task(worker.run())
            await has_begun.wait()
            os.kill(os.getpid(), number)
            await asyncio.to_thread(lambda: None)  # The signal arrives in the loop before this answer does.
            await enqueue_one(fresh_database)
            may_finish.set()

    assert finished == [1]
    assert await statuses(fresh_database) == ["queued"]


@pytest.mark.requirement("REL-1")
async def test_a_worker_that_stops_hands_back_what_it_cannot_wait_for_and_counts_no_attempt(
    settings: Settings, fresh_database: Database
) -> None:
    attempts: list[int] = []
    has_begun = asyncio.Event()

    async def hangs(context: JobContext) -> None:
        attempts.append(context.attempt)
        has_begun.set()
        await asyncio.Event().wait()

    async def works(context: JobContext) -> None:
        attempts.append(context.attempt)

    await enqueue_one(fresh_database)
    impatient = Worker(settings, fresh_database, jobs=[doing(hangs)], patience=timedelta(milliseconds=50))
    await run_until(impatient, has_begun)
    assert await statuses(fresh_database) == ["queued"]

    async with asyncio.timeout(PATIENCE):
        await Worker(settings, fresh_database, jobs=[doing(works, attempts=1)]).drain()
    assert attempts == [1, 1]
    assert await statuses(fresh_database) == []


async def test_losing_the_database_connection_loses_no_job(settings: Settings, fresh_database: Database) -> None:
    attempts: list[int] = []
    has_begun, has_ended = asyncio.Event(), asyncio.Event()

    async def note(context: JobContext) -> None:
        attempts.append(context.attempt)
        if len(attempts) == 1:
            has_begun.set()
            await asyncio.Event().wait()
        has_ended.set()

    worker = Worker(settings, fresh_database, jobs=[doing(note)], lease=timedelta(seconds=1))
    await enqueue_one(fresh_database)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        await has_begun.wait()
        async with fresh_database.transaction() as db:
            await db.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        await has_ended.wait()
        worker.stop()

    assert attempts == [1, 2]


async def test_a_job_that_kills_its_workers_is_held_in_the_end(
    settings: Settings, fresh_database: Database, server: Any
) -> None:
    await enqueue_one(fresh_database)
    url = server.application_url(fresh_database.engine.url.database)
    for _ in range(2):
        assert await run_worker_that_dies(url) == -signal.SIGKILL

    begun: list[int] = []

    async def note(context: JobContext) -> None:
        begun.append(context.attempt)

    async with fresh_database.transaction() as db:
        await db.execute(text("UPDATE pgqueuer SET heartbeat = now() - interval '1 hour'"))
    async with asyncio.timeout(PATIENCE):
        await Worker(settings, fresh_database, jobs=[doing(note, attempts=2)]).drain()

    assert begun == []
    assert await statuses(fresh_database) == ["failed"]


async def run_worker_that_dies(url: str) -> int:
    script = Path(__file__).parent / "dying_worker.py"
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    process = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(script), url], env=environment, timeout=PATIENCE, check=False
    )
    return process.returncode


async def test_a_scheduled_job_is_put_into_the_queue_by_the_worker(
    settings: Settings, fresh_database: Database
) -> None:
    has_run = asyncio.Event()

    async def note(context: JobContext) -> None:
        has_run.set()

    every_second = RegisteredJob(
        "tests.every_second", note, create_model("Nothing"), 1, timedelta(seconds=5), 0, "* * * * * *"
    )
    await run_until(Worker(settings, fresh_database, jobs=[every_second]), has_run)


def test_the_backoff_doubles_up_to_an_hour_and_never_falls_below_half() -> None:
    for attempt in range(1, 60):
        expected = min(FIRST_RETRY.total_seconds() * 2 ** (attempt - 1), LONGEST_RETRY.total_seconds())
        assert expected / 2 <= exponential_backoff(attempt).total_seconds() <= expected


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    assert len({exponential_backoff(5) for _ in range(20)}) > 15
