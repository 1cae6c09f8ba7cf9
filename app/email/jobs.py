"""What the worker does for e-mail."""

from datetime import timedelta
from uuid import UUID

from app import clock, inbound
from app.email import actions, outcomes
from app.email.delivery import deliver
from app.email.providers import carriers_for
from app.jobs.registry import JobContext, job

# From five seconds to an hour apart: an outage of the provider that lasts half a day loses nothing.
ATTEMPTS = 20
KEPT = timedelta(days=30)


@job("email.deliver", attempts=ATTEMPTS)
async def deliver_email(context: JobContext, *, email_id: UUID) -> None:
    await deliver(context, carriers_for(context.settings), email_id)


@job("email.forget_messages", schedule="17 3 * * *")
async def forget_messages(context: JobContext) -> None:
    async with context.database.transaction() as db:
        await actions.forget_messages(db, before=clock.now() - KEPT)


@job("email.handle_event")
async def handle_event(context: JobContext, *, event_id: UUID) -> None:
    await outcomes.handle_event(context, event_id)


@job("email.forget_events", schedule="23 3 * * *")
async def forget_events(context: JobContext) -> None:
    async with context.database.transaction() as db:
        await inbound.forget_events(db)
