"""What the worker does for this feature."""

from datetime import timedelta

from app.database import system_scope
from app.jobs.registry import JobContext, job
from app.projects import deletion


@job("projects.erase", schedule="11 4 * * *", deadline=timedelta(minutes=5))
async def erase_projects(context: JobContext) -> None:
    """Erase the projects that were deleted thirty days ago, some at a time."""
    erased = deletion.MOST_ERASED_AT_ONCE
    while erased == deletion.MOST_ERASED_AT_ONCE:
        async with context.database.transaction() as db, system_scope(db):
            erased = await deletion.erase_deleted(db)
