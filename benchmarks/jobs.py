"""`python -m benchmarks.jobs`: how soon a job begins, and how many small ones a worker process runs in a second."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import click
from pydantic import create_model

from app.config import Settings, load_settings
from app.database import Database
from app.jobs.actions import enqueue, queue
from app.jobs.registry import JobContext, RegisteredJob, job
from app.jobs.worker import Worker
from app.logs import configure_logs
from tests.databases import database_server, worker_database

NAME = "benchmarks.small_job"
SECRET_KEY = "benchmarks-only-5Vq0Yk3bWm8RzXcTn2LhJd7Pf9GsAe"
AT_ONCE = 500  # Jobs in one INSERT.
SECONDS_FOR_ALL = 300
SECONDS_BETWEEN_WAKES = 0.02

T = TypeVar("T")
Measurement = Callable[[Settings, Database, int], Awaitable[T]]


@job(NAME)
async def small_job(context: JobContext) -> None:
    """A name to enqueue by; each measurement gives its worker a handler of its own."""


@click.command()
@click.option("--jobs", default=10_000, show_default=True, help="How many jobs the rate is taken from.")
@click.option("--wakes", default=200, show_default=True, help="How many times an idle worker is woken.")
def main(jobs: int, wakes: int) -> None:
    """Measure one worker process and PostgreSQL on this machine. The server does not wait for its disk, as in tests."""
    with database_server() as server, worker_database(server) as name:
        url = server.application_url(name)
        settings = load_settings(
            {"ENVIRONMENT": "test", "SECRET_KEY": SECRET_KEY, "DATABASE_URL": url, "LOG_LEVEL": "warning"}
        )
        configure_logs(settings)
        rate = asyncio.run(_measured(settings, measure_rate, jobs))
        waits = asyncio.run(_measured(settings, measure_wakes, wakes))
    click.echo(f"small jobs per second, one worker process: {rate:,.0f} (of {jobs:,})")
    click.echo(f"from commit to the job's first line: {describe(waits)} (of {wakes:,})")


async def _measured(settings: Settings, measure: Measurement[T], count: int) -> T:
    database = Database.from_settings(settings)
    try:
        async with asyncio.timeout(SECONDS_FOR_ALL):
            return await measure(settings, database, count)
    finally:
        await database.close()


async def measure_rate(settings: Settings, database: Database, count: int) -> float:
    """Jobs per second of a worker that finds `count` of them waiting; each does nothing."""
    done = 0

    async def work(context: JobContext) -> None:
        nonlocal done
        done += 1

    for _ in range(0, count, AT_ONCE):
        async with database.transaction() as db:
            await queue(db).enqueue([NAME] * AT_ONCE, [b"{}"] * AT_ONCE, [0] * AT_ONCE)
    started = time.perf_counter()
    await Worker(settings, database, jobs=[doing(work)]).drain()
    assert done >= count
    return done / (time.perf_counter() - started)


async def measure_wakes(settings: Settings, database: Database, count: int) -> Sequence[float]:
    """Seconds between the commit of a job and its beginning, in a worker that has nothing else to do."""
    begun: asyncio.Queue[float] = asyncio.Queue()

    async def work(context: JobContext) -> None:
        begun.put_nowait(time.perf_counter())

    worker, waits = Worker(settings, database, jobs=[doing(work)]), []
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        for _ in range(count):
            async with database.transaction() as db:
                await enqueue(db, NAME)
            committed = time.perf_counter()
            waits.append(await begun.get() - committed)
            await asyncio.sleep(SECONDS_BETWEEN_WAKES)  # Until the worker is idle again.
        worker.stop()
    return waits[1:]  # The first one found the worker starting.


def doing(handler: Callable[[JobContext], Awaitable[None]]) -> RegisteredJob:
    return RegisteredJob(NAME, handler, create_model("Nothing"), 3, timedelta(seconds=5), 0, None)


def describe(waits: Sequence[float]) -> str:
    milliseconds = sorted(wait * 1000 for wait in waits)
    worst = milliseconds[int(len(milliseconds) * 0.99)]
    return f"median {statistics.median(milliseconds):.1f} ms, 99 of 100 within {worst:.1f} ms"


if __name__ == "__main__":
    main()
