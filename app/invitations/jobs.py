"""What the worker does for this feature."""

from uuid import UUID

from app.invitations.notifying import notify_receiver
from app.jobs.registry import JobContext, job


@job("invitations.notify_receiver")
async def notify_invited_person(context: JobContext, *, invitation_id: UUID) -> None:
    """Tell the invited person in the product, if they have an account."""
    async with context.database.transaction() as db:
        await notify_receiver(db, invitation_id)
