"""What the worker does for this feature."""

from app.addresses import retention
from app.jobs.registry import JobContext, job


@job("addresses.forget_claims", schedule="47 3 * * *")
async def forget_claims(context: JobContext) -> None:
    """Delete addresses that somebody added and nobody proved."""
    async with context.database.transaction() as db:
        await retention.forget_claims(db)
