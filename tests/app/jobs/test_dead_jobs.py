"""Jobs that were given up: who finds them, and what can be done with them."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.config import Settings
from app.database import Database
from app.jobs import actions, queries
from app.jobs.queries import DeadJob
from app.jobs.registry import JobContext
from app.jobs.worker import Worker
from core.exceptions import HTTPException
from tests.app.jobs.test_worker import doing, enqueue_one, statuses


async def fail(context: JobContext) -> None:
    raise ConnectionError("the other side is down")


async def kill_one(settings: Settings, database: Database, **options: str) -> DeadJob:
    await enqueue_one(database, **options)
    await Worker(settings, database, jobs=[doing(fail)], backoff=lambda _: timedelta(0)).drain()
    async with database.transaction() as db:
        return (await queries.list_dead_jobs(db))[0]


async def test_a_dead_job_says_what_it_was_and_why_it_died(settings: Settings, fresh_database: Database) -> None:
    dead = await kill_one(settings, fresh_database)

    assert (dead.name, dead.arguments, dead.attempts) == ("tests.worked_on", "{}", 3)
    assert (dead.error, dead.message) == ("ConnectionError", "the other side is down")
    assert "in fail" in str(dead.traceback)
    async with fresh_database.transaction() as db:
        [queue] = await queries.list_queues(db)
    assert (queue.waiting, queue.running, queue.dead) == (0, 0, 1)


async def test_retrying_a_dead_job_gives_it_all_its_attempts_again(
    settings: Settings, fresh_database: Database
) -> None:
    attempts: list[int] = []

    async def works_the_second_time(context: JobContext) -> None:
        attempts.append(context.attempt)
        if context.attempt < 2:
            raise ConnectionError

    dead = await kill_one(settings, fresh_database)
    async with fresh_database.transaction() as db:
        await actions.retry_dead_job(db, dead)
    jobs = [doing(works_the_second_time)]
    await Worker(settings, fresh_database, jobs=jobs, backoff=lambda _: timedelta(0)).drain()

    assert attempts == [1, 2]
    assert await statuses(fresh_database) == []


async def test_a_dead_job_makes_room_for_another_with_its_key_and_then_cannot_come_back_beside_it(
    settings: Settings, fresh_database: Database
) -> None:
    dead = await kill_one(settings, fresh_database, unique_key="report")
    await enqueue_one(fresh_database, unique_key="report")
    async with fresh_database.transaction() as db:
        with pytest.raises(actions.WaitsAlready):
            await actions.retry_dead_job(db, dead)

    assert sorted(await statuses(fresh_database)) == ["failed", "queued"]


async def test_a_discarded_job_is_gone_but_for_a_note(settings: Settings, fresh_database: Database) -> None:
    dead = await kill_one(settings, fresh_database)
    async with fresh_database.transaction() as db:
        await actions.discard_dead_job(db, dead)

    assert await statuses(fresh_database) == []
    async with fresh_database.transaction() as db:
        newest = "SELECT status::text FROM pgqueuer_log ORDER BY id DESC LIMIT 1"
        assert await db.scalar(text(newest)) == "deleted"
        with pytest.raises(HTTPException) as missing:
            await queries.get_dead_job(db, dead.id)
    assert missing.value.status_code == 404
