"""What the worker does for this feature."""

from app.jobs.registry import JobContext, job
from app.two_factor import lost_access
from app.two_factor.passkey_challenges import forget_challenges


@job("two_factor.forget_challenges", schedule="47 * * * *")
async def forget_used_challenges(context: JobContext) -> None:
    """Forget used challenges of passkeys that have expired since."""
    async with context.database.transaction() as db:
        await forget_challenges(db)


@job("two_factor.tell_lost_access", schedule="13 * * * *")
async def tell_lost_access(context: JobContext) -> None:
    """Write to those who asked for their lost factors to be removed, each in a transaction of its own."""
    async with context.database.transaction() as db:
        due = await lost_access.list_due(db)
    for request_id in due:
        async with context.database.transaction() as db:
            await lost_access.tell(db, context.settings, request_id)
