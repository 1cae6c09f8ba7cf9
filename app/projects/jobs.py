"""What the worker does for this feature."""

from datetime import timedelta
from uuid import UUID

from app import clock
from app.audit.models import RequestFacts
from app.database import system_scope
from app.errors import Refusal
from app.jobs.progress import reported
from app.jobs.registry import JobContext, job
from app.projects import deletion, import_work

IMPORTS_KEPT = timedelta(days=7)


@job("projects.import", attempts=4, deadline=timedelta(minutes=5))
async def import_projects(
    context: JobContext, *, import_id: UUID, user_id: UUID, slug: str, facts: RequestFacts
) -> None:
    """Start the projects of a file."""
    try:
        async with reported(context, import_id) as progress:
            await import_work.start_projects(
                context.database, progress, import_id=import_id, user_id=user_id, slug=slug, facts=facts
            )
    except Refusal:
        await import_work.give_up(context.database, import_id)
    except Exception:
        if context.is_last_attempt:
            await import_work.give_up(context.database, import_id)
        raise


@job("projects.forget_imports", schedule="17 4 * * *")
async def forget_imports(context: JobContext) -> None:
    """Forget imports whose workers died each time."""
    async with context.database.transaction() as db, system_scope(db):
        await import_work.forget_imports(db, before=clock.now() - IMPORTS_KEPT)


@job("projects.erase", schedule="11 4 * * *", deadline=timedelta(minutes=5))
async def erase_projects(context: JobContext) -> None:
    """Erase the projects that were deleted thirty days ago, some at a time."""
    erased = deletion.MOST_ERASED_AT_ONCE
    while erased == deletion.MOST_ERASED_AT_ONCE:
        async with context.database.transaction() as db, system_scope(db):
            erased = await deletion.erase_deleted(db)
