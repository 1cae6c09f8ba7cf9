"""Telling a person how far their work has come.

    progress = await begin_progress(db, user_id=user.id, title=_("Importing members"))
    await enqueue(db, "members.import", {"progress_id": progress.id})

    @job("members.import")
    async def import_members(context: JobContext, *, progress_id: UUID) -> None:
        async with reported(context, progress_id) as progress:
            for number, row in enumerate(rows, 1):
                ...
                await progress.advance(number, of=len(rows))

The page of the work is /jobs/<id>. Every change is told to the person's pages ("job.progressed"), in its transaction: whatever in a
page has `data-live="job.progressed"` is shown anew.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.errors import Refusal
from app.ids import uuid7
from app.jobs.models import JobProgress, ProgressState
from app.jobs.registry import JobContext
from app.publishing import publish

PROGRESSED = "job.progressed"


async def begin_progress(
    db: AsyncSession, *, user_id: UUID, title: str, id: UUID | None = None, result_path: str | None = None
) -> JobProgress:
    """Note that a person waits for work that is about to be put into the queue.

    With an `id` it is that of what the work makes, so that the page of this finds how far it is. `result_path` is where the
    result will be, if that is known.
    """
    progress = JobProgress(id=id or uuid7(), user_id=user_id, title=title, result_path=result_path)
    db.add(progress)
    await db.flush()
    return progress


@asynccontextmanager
async def reported(context: JobContext, progress_id: UUID) -> AsyncIterator["Reporter"]:
    """Say that the work runs, and at the end of the block that it is done, or failed if it will not be tried again.

    A refusal is the end, and the person is told what it says: the job that lets one through must not try again.
    """
    reporter = Reporter(context.database, progress_id)
    await reporter.change(state=ProgressState.RUNNING)
    try:
        yield reporter
    except Refusal as refusal:
        await reporter.change(state=ProgressState.FAILED, reason=refusal.message)
        raise
    except BaseException:
        await reporter.change(state=ProgressState.FAILED if context.is_last_attempt else ProgressState.WAITING)
        raise
    await reporter.change(state=ProgressState.DONE)


class Reporter:
    """Writes how far one piece of work has come, each time in a transaction of its own: the work's has not committed yet."""

    def __init__(self, database: Database, progress_id: UUID) -> None:
        self._database = database
        self._progress_id = progress_id

    async def advance(self, done: int, *, of: int | None = None) -> None:
        """So many parts are done, of so many altogether."""
        await self.change(done=done, total=of)

    async def lead_to(self, path: str) -> None:
        """Name the page of this site on which the result is."""
        await self.change(result_path=path)

    async def change(self, **values: Any) -> None:  # Any: the columns' values.
        async with self._database.transaction() as db:
            statement = update(JobProgress).where(JobProgress.id == self._progress_id)
            progress = await db.scalar(statement.values(updated_at=clock.now(), **values).returning(JobProgress))
            if progress is not None:
                await publish(db, f"user:{progress.user_id}", PROGRESSED, {"progress_id": progress.id})
