"""Organizations take turns."""

from uuid import UUID

from sqlalchemy import text

from app.config import Settings
from app.database import Database
from app.ids import uuid7
from app.jobs import queries
from app.jobs.actions import enqueue
from app.jobs.registry import JobContext, RegisteredJob, get_job, job
from app.jobs.worker import Worker

BUSY, MODEST = uuid7(), uuid7()


@job("tests.of_an_organization", concurrency=1)
async def of_an_organization(context: JobContext, *, owner: UUID) -> None:
    """A name to enqueue by; the test gives its worker a handler of its own."""


def noting(order: list[UUID]) -> RegisteredJob:
    async def note(context: JobContext, *, owner: UUID) -> None:
        order.append(owner)

    declared = get_job("tests.of_an_organization")
    return RegisteredJob(declared.name, note, declared.arguments, 1, declared.deadline, 1, None)


async def ask(database: Database, owner: UUID, times: int) -> None:
    async with database.transaction() as db:
        for _ in range(times):
            await enqueue(db, "tests.of_an_organization", {"owner": owner}, organization_id=owner)


async def test_one_organizations_thousand_jobs_do_not_keep_anothers_few_waiting(
    settings: Settings, fresh_database: Database
) -> None:
    order: list[UUID] = []
    await ask(fresh_database, BUSY, 30)
    await ask(fresh_database, MODEST, 3)

    await Worker(settings, fresh_database, jobs=[noting(order)]).drain()

    assert len(order) == 33
    assert max(place for place, owner in enumerate(order) if owner == MODEST) < 12


async def test_an_organizations_line_is_counted_by_an_index(fresh_database: Database) -> None:
    await ask(fresh_database, BUSY, 2)
    async with fresh_database.transaction() as db:
        assert await queries.count_waiting(db, "tests.of_an_organization", BUSY) == 2
        assert await queries.count_waiting(db, "tests.of_an_organization", MODEST) == 0
        await db.execute(text("SET LOCAL enable_seqscan = off"))
        await db.execute(text("SET LOCAL enable_bitmapscan = off"))
        values = {"name": "tests.of_an_organization", "organization_id": str(BUSY), "longest": 9}
        plan = await db.scalars(text(f"EXPLAIN {queries.WAITING.text}"), values)
        assert "ix_pgqueuer_organization_waiting" in "".join(plan)
