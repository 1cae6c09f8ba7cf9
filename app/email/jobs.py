"""What the worker does for e-mail."""

from datetime import timedelta
from uuid import UUID

from app import clock
from app.email import actions
from app.email.providers import provider_for
from app.jobs.registry import JobContext, job

# From five seconds to an hour apart: an outage of the provider that lasts half a day loses nothing.
ATTEMPTS = 20
KEPT = timedelta(days=30)


@job("email.deliver", attempts=ATTEMPTS)
async def deliver_email(context: JobContext, *, email_id: UUID) -> None:
    await actions.deliver(context, provider_for(context.settings), email_id)


@job("email.forget_messages", schedule="17 3 * * *")
async def forget_messages(context: JobContext) -> None:
    async with context.database.transaction() as db:
        await actions.forget_messages(db, before=clock.now() - KEPT)
