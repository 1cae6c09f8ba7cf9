"""What the worker does for this feature."""

from datetime import timedelta

from app import clock
from app.database import system_scope
from app.files import actions, queries
from app.files.storage import storage_in_use, storage_named
from app.jobs.registry import JobContext, RetryLater, job


@job("files.sweep", schedule="23 * * * *", deadline=timedelta(minutes=10), concurrency=1)
async def sweep_files(context: JobContext) -> None:
    """Forget interrupted uploads and files whose week is over, then remove the bytes that belong to no file any more."""
    swept = actions.SWEPT_AT_ONCE
    while swept == actions.SWEPT_AT_ONCE:
        async with context.database.transaction() as db:
            swept = await actions.forget_files(db)
    while await _remove_some(context):
        pass
    await storage_in_use(context.settings).tidy(clock.now() - actions.PENDING_FOR)


async def _remove_some(context: JobContext) -> bool:
    """Remove bytes, then the notes about them: after a crash in between they are removed again, which is no mistake."""
    async with context.database.transaction() as db, system_scope(db):
        waiting = await queries.list_removals(db, limit=100)
        try:
            for removal in waiting:
                await storage_named(context.settings, removal.storage).delete(removal.key)
        except OSError as error:
            raise RetryLater("the storage does not answer", timedelta(minutes=5)) from error
        await actions.forget_removals(db, waiting)
    return bool(waiting)
