"""What the queue can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pgqueuer.ports.driver import Driver
from pgqueuer.types import JobId
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.models import JobProgress
from core.exceptions import HTTPException

# PgQueuer's own counter knows only tries that ended. One that killed its worker counts too, so this reads the log of
# when the job was taken; what happened before a person put a held job back into the queue is forgiven.
ATTEMPTS = """
SELECT count(*) AS attempts
FROM pgqueuer_log
WHERE job_id = $1 AND status = 'picked'
  AND id > coalesce((SELECT max(id) FROM pgqueuer_log WHERE job_id = $1 AND status = 'failed'), 0)
"""
FORGET_ATTEMPT = """
DELETE FROM pgqueuer_log
WHERE id = (SELECT max(id) FROM pgqueuer_log WHERE job_id = $1 AND status = 'picked')
"""

QUEUES = text("""
SELECT entrypoint AS name,
       count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS waiting,
       count(*) FILTER (WHERE status = 'queued' AND execute_after > now()) AS later,
       count(*) FILTER (WHERE status = 'picked') AS running,
       count(*) FILTER (WHERE status = 'failed') AS dead,
       min(execute_after) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS waiting_since
FROM pgqueuer GROUP BY entrypoint ORDER BY entrypoint
""")
DEAD_JOBS = """
SELECT job.id, job.entrypoint AS name, job.created AS created_at, job.updated AS died_at, job.attempts + 1 AS attempts,
       convert_from(job.payload, 'UTF8') AS arguments,
       note.traceback ->> 'exception_type' AS error, note.traceback ->> 'exception_message' AS message,
       note.traceback ->> 'traceback' AS traceback
FROM pgqueuer AS job
LEFT JOIN LATERAL (
    SELECT traceback FROM pgqueuer_log WHERE job_id = job.id AND status = 'failed' ORDER BY id DESC LIMIT 1
) AS note ON true
WHERE job.status = 'failed'
"""
LATEST_DEAD_JOBS = text(f"{DEAD_JOBS} ORDER BY job.updated DESC, job.id DESC LIMIT :limit")
ONE_DEAD_JOB = text(f"{DEAD_JOBS} AND job.id = :id FOR UPDATE OF job")
SCHEDULES = text("""
SELECT DISTINCT ON (entrypoint) entrypoint AS name, expression, last_run AS last_run_at, next_run AS next_run_at
FROM pgqueuer_schedules ORDER BY entrypoint, id DESC
""")
# The more of an organization's jobs wait, the later its next one comes; counting further than this would cost more.
LONGEST_LINE = 1000
LARGEST_ID = 2**63 - 1
WAITING = text("""
SELECT count(*) FROM (
    SELECT FROM pgqueuer
    WHERE headers ? 'organization_id' AND headers ->> 'organization_id' = :organization_id
      AND status = 'queued' AND entrypoint = :name
    LIMIT :longest
) AS line
""")


@dataclass(frozen=True)
class Queue:
    """How many jobs of one name there are in each state. `later` are those whose time has not come."""

    name: str
    waiting: int
    later: int
    running: int
    dead: int
    waiting_since: datetime | None


@dataclass(frozen=True)
class DeadJob:
    """A job that failed as often as it may, and waits for a person. `arguments` is JSON."""

    id: int
    name: str
    created_at: datetime
    died_at: datetime
    attempts: int
    arguments: str | None
    error: str | None
    message: str | None
    traceback: str | None


@dataclass(frozen=True)
class ScheduledJob:
    """When a job is due by the clock, as a cron expression in UTC, and when it was last put into the queue."""

    name: str
    expression: str
    last_run_at: datetime | None
    next_run_at: datetime


async def count_attempts(driver: Driver, job_id: JobId) -> int:
    """How often the job has been begun, the present time included."""
    rows = await driver.fetch(ATTEMPTS, job_id)
    return int(str(rows[0]["attempts"]))


async def forget_attempt(driver: Driver, job_id: JobId) -> None:
    """Take the present beginning of the job out of the count."""
    await driver.execute(FORGET_ATTEMPT, job_id)


async def count_waiting(db: AsyncSession, name: str, organization_id: UUID) -> int:
    """How many of an organization's jobs of one name wait, up to `LONGEST_LINE`."""
    values = {"name": name, "organization_id": str(organization_id), "longest": LONGEST_LINE}
    return int(await db.scalar(WAITING, values) or 0)


async def list_queues(db: AsyncSession) -> Sequence[Queue]:
    """Every job name of which there is a job now."""
    return [Queue(**row) for row in (await db.execute(QUEUES)).mappings()]


async def list_dead_jobs(db: AsyncSession, *, limit: int = 100) -> Sequence[DeadJob]:
    """The jobs that were given up, the latest first."""
    return [DeadJob(**row) for row in (await db.execute(LATEST_DEAD_JOBS, {"limit": limit})).mappings()]


async def get_dead_job(db: AsyncSession, job_id: int) -> DeadJob:
    """One job that was given up, locked until the transaction ends, or a 404."""
    if job_id > LARGEST_ID:
        raise HTTPException(404)
    row = (await db.execute(ONE_DEAD_JOB, {"id": job_id})).mappings().one_or_none()
    if row is None:
        raise HTTPException(404)
    return DeadJob(**row)


async def list_schedules(db: AsyncSession) -> Sequence[ScheduledJob]:
    """What is due by the clock, as the workers have told the queue."""
    return [ScheduledJob(**row) for row in (await db.execute(SCHEDULES)).mappings()]


async def find_progress(db: AsyncSession, user_id: UUID, progress_id: UUID) -> JobProgress | None:
    """A person's own work."""
    statement = select(JobProgress).where(JobProgress.id == progress_id, JobProgress.user_id == user_id)
    found: JobProgress | None = await db.scalar(statement)
    return found


async def get_progress(db: AsyncSession, user_id: UUID, progress_id: UUID) -> JobProgress:
    """A person's own work, or a 404."""
    found = await find_progress(db, user_id, progress_id)
    if found is None:
        raise HTTPException(404)
    return found
