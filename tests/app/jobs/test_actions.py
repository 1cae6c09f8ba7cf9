"""Putting jobs into the queue: with the transaction, or not at all."""

from datetime import timedelta
from uuid import uuid4

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.jobs.actions import enqueue, trim_log


async def count_jobs(database: Database) -> int:
    async with database.transaction() as db:
        return int(await db.scalar(text("SELECT count(*) FROM pgqueuer")) or 0)


class ChangedMind(Exception):
    pass


async def test_a_rollback_takes_the_job_along_even_when_it_was_the_sessions_first_statement(
    fresh_database: Database,
) -> None:
    try:
        async with fresh_database.transaction() as db:
            await enqueue(db, "email.deliver", {"email_id": uuid4()})
            raise ChangedMind
    except ChangedMind:
        pass

    assert await count_jobs(fresh_database) == 0


async def test_a_commit_leaves_the_job(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        await enqueue(db, "email.deliver", {"email_id": uuid4()})

    assert await count_jobs(fresh_database) == 1


async def test_undoing_a_savepoint_takes_the_job_that_was_put_in_after_it(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        await enqueue(db, "email.deliver", {"email_id": uuid4()})
        try:
            async with db.begin_nested():
                await enqueue(db, "email.deliver", {"email_id": uuid4()})
                raise ChangedMind
        except ChangedMind:
            pass

    assert await count_jobs(fresh_database) == 1


async def test_a_job_for_later_waits_until_its_time(db: AsyncSession) -> None:
    await enqueue(db, "email.deliver", {"email_id": uuid4()}, run_at=clock.now() + timedelta(hours=2))

    wait = await db.scalar(text("SELECT execute_after - now() FROM pgqueuer"))

    assert timedelta(minutes=119) < wait <= timedelta(hours=2)


async def test_a_time_that_has_passed_means_now(db: AsyncSession) -> None:
    await enqueue(db, "email.deliver", {"email_id": uuid4()}, run_at=clock.now() - timedelta(hours=2))

    assert await db.scalar(text("SELECT execute_after = now() FROM pgqueuer"))


async def test_a_unique_key_keeps_the_same_work_from_waiting_twice(db: AsyncSession) -> None:
    for _ in range(3):
        await enqueue(db, "jobs.trim_log", unique_key="trim")

    assert await db.scalar(text("SELECT count(*) FROM pgqueuer")) == 1


async def test_a_job_carries_the_id_of_the_request_that_asked_for_it(db: AsyncSession) -> None:
    with structlog.contextvars.bound_contextvars(request_id="abc123"):
        await enqueue(db, "jobs.trim_log")

    assert await db.scalar(text("SELECT headers ->> 'request_id' FROM pgqueuer")) == "abc123"


async def test_the_queues_notes_are_forgotten_when_they_are_old(db: AsyncSession) -> None:
    await enqueue(db, "jobs.trim_log")
    await db.execute(text("UPDATE pgqueuer_log SET created = now() - interval '15 days'"))
    await enqueue(db, "jobs.trim_log")

    await trim_log(db, timedelta(days=14))

    assert await db.scalar(text("SELECT count(*) FROM pgqueuer_log")) == 1
