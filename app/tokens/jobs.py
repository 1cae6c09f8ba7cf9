"""What the worker does for this feature."""

from app.jobs.registry import JobContext, job
from app.tokens import retention


@job("tokens.forget_tokens", schedule="37 3 * * *")
async def forget_tokens(context: JobContext) -> None:
    """Delete tokens that have been over for long."""
    async with context.database.transaction() as db:
        await retention.forget_tokens(db)
