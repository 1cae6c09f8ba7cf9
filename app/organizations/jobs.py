"""What the worker does for this feature."""

from datetime import timedelta

from app.jobs.registry import JobContext, job
from app.organizations import deletion


@job("organizations.erase", schedule="47 * * * *", deadline=timedelta(minutes=5))
async def erase_organizations(context: JobContext) -> None:
    """Erase the organizations that nobody kept, each in a transaction of its own."""
    async with context.database.transaction() as db:
        due = await deletion.list_due(db)
    for organization_id in due:
        async with context.database.transaction() as db:
            await deletion.erase(db, context.settings, organization_id)
