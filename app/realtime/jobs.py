"""Housekeeping."""

from app.jobs.registry import JobContext, job
from app.publishing import sweep
from app.realtime.presence import forget_absent


@job("realtime.sweep", schedule="* * * * *")
async def sweep_realtime(context: JobContext) -> None:
    """Forget events of more than ten minutes ago, and people whose process ended without a word."""
    async with context.database.transaction() as db:
        await sweep(db)
        await forget_absent(db)
