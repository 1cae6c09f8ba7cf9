"""Putting work into the queue, as part of the transaction that makes it necessary."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import UUID

import structlog
from pgqueuer import Queries
from pgqueuer.types import JobId
from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import Refusal
from app.jobs import queries
from app.jobs.models import JobProgress
from app.jobs.queries import DeadJob
from app.jobs.registry import get_job
from app.language import N_

if TYPE_CHECKING:
    from pgqueuer.ports.driver import Driver


class WaitsAlready(Refusal):
    """A job that was given up shall run again, while another with its unique key waits or runs."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(
            N_("The same work is waiting or running already. Discard this job, or wait for the other one.")
        )


async def enqueue(
    db: AsyncSession,
    name: str,
    arguments: Mapping[str, object] | None = None,
    *,
    run_at: datetime | None = None,
    unique_key: str | None = None,
    organization_id: UUID | None = None,
) -> None:
    """Have the worker run the job `name`, at once or at `run_at`, if this transaction commits.

    While a job with the same `unique_key` waits or runs, no second one is added. Jobs of different organizations take turns:
    one that asks for a thousand at once does not keep the others waiting. Raises UnknownJob, and pydantic's ValidationError
    if the arguments are not what the job takes.
    """
    payload = get_job(name).check(arguments or {})
    waiting = await queries.count_waiting(db, name, organization_id) if organization_id else 0
    await queue(db).enqueue(
        name,
        payload,
        # An organization's hundredth waiting job stands behind everybody else's first ninety-nine.
        priority=-waiting,
        execute_after=_delay_until(run_at),
        dedupe_key=unique_key,
        headers=_headers(organization_id),
        on_conflict="skip",
    )


async def retry_dead_job(db: AsyncSession, dead: DeadJob) -> None:
    """Put a job that was given up back into the queue; all its attempts are before it again. Raises WaitsAlready."""
    try:
        async with db.begin_nested():
            await queue(db).requeue_jobs([JobId(dead.id)])
    except IntegrityError:
        raise WaitsAlready from None


async def discard_dead_job(db: AsyncSession, dead: DeadJob) -> None:
    """Give a job up for good. The queue's log keeps a note of it for a while."""
    operations = queue(db)
    job = await operations.queue_job_by_id(JobId(dead.id))
    if job is not None:
        await operations.log_jobs([(job, "deleted", None)])


async def trim_log(db: AsyncSession, kept: timedelta) -> None:
    """Forget what the queue noted about jobs longer ago than `kept`."""
    for table in ("pgqueuer_log", "pgqueuer_statistics"):
        await db.execute(text(f"DELETE FROM {table} WHERE created < now() - CAST(:kept AS interval)"), {"kept": kept})  # noqa: S608 (constants)


async def forget_progress(db: AsyncSession, *, before: datetime) -> None:
    """Forget the work that nothing was heard of since `before`."""
    await db.execute(delete(JobProgress).where(JobProgress.updated_at < before))


def queue(db: AsyncSession) -> Queries:
    """PgQueuer's operations, inside the session's transaction."""
    return Queries(cast("Driver", SessionDriver(db)))


class SessionDriver:
    """Runs PgQueuer's statements through SQLAlchemy.

    PgQueuer would take the raw asyncpg connection, but SQLAlchemy begins the transaction there only with its own first
    statement: a job put in before that would be committed by itself and survive a rollback.
    """

    def __init__(self, db: AsyncSession) -> None:
        self._db = db

    async def fetch(self, query: str, *arguments: object) -> list[dict[str, object]]:
        connection = await self._db.connection()
        result = await connection.exec_driver_sql(query, arguments)
        return [dict(row) for row in result.mappings()]

    async def execute(self, query: str, *arguments: object) -> str:
        connection = await self._db.connection()
        result = await connection.exec_driver_sql(query, arguments)
        return f"{result.rowcount}"


def _delay_until(run_at: datetime | None) -> timedelta:
    return timedelta(0) if run_at is None else max(run_at - clock.now(), timedelta(0))


def _headers(organization_id: UUID | None) -> dict[str, str] | None:
    """Whose job it is, and the request that asked for it, so that one search finds the log lines of both."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    found = {"request_id": request_id, "organization_id": organization_id}
    return {name: str(value) for name, value in found.items() if value} or None
