"""What the worker does for this feature."""

from datetime import timedelta

from app import clock
from app.audit.retention import MOST_AT_ONCE, forget_events
from app.jobs.registry import JobContext, job


@job("audit.forget_events", schedule="7 4 * * *", deadline=timedelta(minutes=10))
async def forget_old_events(context: JobContext) -> None:
    """Delete events that have been kept for as long as the settings say, some at a time."""
    before = clock.now() - timedelta(days=context.settings.audit_retention_days)
    deleted = MOST_AT_ONCE
    while deleted == MOST_AT_ONCE:
        async with context.database.transaction() as db:
            deleted = await forget_events(db, before=before)
