"""What the worker does for this feature."""

from app.connections import states
from app.jobs.registry import JobContext, job


@job("connections.forget_states", schedule="47 * * * *")
async def forget_states(context: JobContext) -> None:
    """Delete what is remembered of people who went to a provider and did not come back."""
    async with context.database.transaction() as db:
        await states.forget(db)
