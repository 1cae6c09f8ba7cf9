"""What the worker does for this feature."""

from datetime import timedelta
from uuid import UUID

from app.jobs.progress import reported
from app.jobs.registry import JobContext, job
from app.privacy import actions, exporting, queries


@job("privacy.build_export", attempts=4, deadline=timedelta(minutes=5), concurrency=2)
async def build_export(context: JobContext, *, export_id: UUID) -> None:
    """Put a person's data together."""
    try:
        async with reported(context, export_id) as progress:
            await exporting.build_export(context.database, context.settings, export_id, progress)
    except Exception:
        if context.is_last_attempt:
            await exporting.give_up(context.database, export_id)
        raise


@job("privacy.forget_exports", schedule="7 * * * *")
async def forget_exports(context: JobContext) -> None:
    """Erase copies that have expired."""
    async with context.database.transaction() as db:
        await exporting.forget_exports(db)


@job("privacy.erase_accounts", schedule="37 * * * *", deadline=timedelta(minutes=5))
async def erase_accounts(context: JobContext) -> None:
    """Delete the accounts whose owners did not change their mind, each in a transaction of its own."""
    async with context.database.transaction() as db:
        due = await queries.list_due(db)
    for user_id in due:
        async with context.database.transaction() as db:
            await actions.erase(db, context.settings, user_id)
