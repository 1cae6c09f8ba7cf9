"""What the worker does for this feature."""

from app.jobs.registry import JobContext, job
from app.two_factor.passkey_challenges import forget_challenges


@job("two_factor.forget_challenges", schedule="47 * * * *")
async def forget_used_challenges(context: JobContext) -> None:
    """Forget used challenges of passkeys that have expired since."""
    async with context.database.transaction() as db:
        await forget_challenges(db)
