"""Putting work into the queue, as part of the transaction that makes it necessary."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import structlog
from pgqueuer import Queries
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.jobs.registry import get_job

if TYPE_CHECKING:
    from pgqueuer.ports.driver import Driver


async def enqueue(
    db: AsyncSession,
    name: str,
    arguments: Mapping[str, object] | None = None,
    *,
    run_at: datetime | None = None,
    unique_key: str | None = None,
) -> None:
    """Have the worker run the job `name`, at once or at `run_at`, if this transaction commits.

    While a job with the same `unique_key` waits or runs, no second one is added. Raises UnknownJob, and pydantic's
    ValidationError if the arguments are not what the job takes.
    """
    payload = get_job(name).check(arguments or {})
    await queue(db).enqueue(
        name,
        payload,
        execute_after=_delay_until(run_at),
        dedupe_key=unique_key,
        headers=_trace(),
        on_conflict="skip",
    )


async def trim_log(db: AsyncSession, kept: timedelta) -> None:
    """Forget what the queue noted about jobs longer ago than `kept`."""
    for table in ("pgqueuer_log", "pgqueuer_statistics"):
        await db.execute(text(f"DELETE FROM {table} WHERE created < now() - CAST(:kept AS interval)"), {"kept": kept})  # noqa: S608 (constants)


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


def _trace() -> dict[str, str] | None:
    """The request that asked for the job, so that one search finds the log lines of both."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {"request_id": str(request_id)} if request_id else None
