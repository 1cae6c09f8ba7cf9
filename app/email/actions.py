"""Sending e-mail: written with the change that causes it, delivered by the worker."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.config import Settings
from app.database import Database
from app.email import queries
from app.email.models import EmailMessage, EmailStatus
from app.email.providers import DeliveryFailed, MessageRefused, Provider
from app.email.rendering import render_message
from app.jobs.actions import enqueue
from app.jobs.registry import JobContext, RetryLater
from app.language import speaking

LONGEST_ERROR = 500
# The body may hold a link that logs somebody in; nobody needs it any longer.
ERASED = {"text": "", "html": ""}


async def send(
    db: AsyncSession,
    *,
    settings: Settings,
    to: str,
    template: str,
    context: Mapping[str, Any],
    dedup_key: str | None = None,
    locale: str | None = None,
) -> EmailMessage:
    """Write a message from `templates/emails/<template>` and have it delivered, if this transaction commits.

    `locale` is the receiver's language, where it is known; else that of whoever causes the message. A second message with
    the same `dedup_key` is not sent; the first is returned.
    """
    with speaking(locale):
        rendered = render_message(settings, to_address=to, template=template, context=context)
    message = EmailMessage(
        to_address=to,
        template=template,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        locale=rendered.locale,
        dedup_key=dedup_key,
    )
    try:
        await _add(db, message)
    except IntegrityError:
        return await queries.get_message_by_dedup_key(db, message.dedup_key or "")
    await enqueue(db, "email.deliver", {"email_id": message.id})
    return message


async def deliver(context: JobContext, provider: Provider, email_id: UUID) -> None:
    """Hand one message to the provider, unless that has been done. Raises RetryLater while there is hope.

    The message is marked as being sent before the provider is asked. If this process dies in between, the message is
    offered again under the same id, by which the provider tells a repetition where it can (see `providers`).
    """
    message = await _begin_delivery(context.database, provider, email_id)
    if message is None:
        return
    try:
        provider_id = await provider.deliver(message)
    except MessageRefused as refusal:
        await _note_failure(context.database, message, refusal, gives_up=True, erases=not provider.keeps_messages)
    except DeliveryFailed as failure:
        await _note_failure(context.database, message, failure, gives_up=context.is_last_attempt)
        raise RetryLater(str(failure), failure.retry_after) from failure
    else:
        await _note_delivery(context.database, message, provider, provider_id)


async def redeliver(db: AsyncSession, message: EmailMessage) -> None:
    """Try a failed message again from the start, whose body was kept because the provider never refused it."""
    await _change(db, message.id, status=EmailStatus.QUEUED, attempts=0, last_error=None)
    await enqueue(db, "email.deliver", {"email_id": message.id})


async def forget_messages(db: AsyncSession, *, before: datetime) -> int:
    """Delete the messages of earlier than `before`, delivered or given up; returns how many."""
    finished = EmailMessage.status.in_([EmailStatus.SENT, EmailStatus.FAILED])
    statement = delete(EmailMessage).where(finished, EmailMessage.created_at < before)
    return len((await db.scalars(statement.returning(EmailMessage.id))).all())


async def _add(db: AsyncSession, message: EmailMessage) -> None:
    if message.dedup_key is None:
        db.add(message)
        await db.flush()
        return
    # Within a savepoint: a key that is taken must not undo what the transaction did before.
    async with db.begin_nested():
        db.add(message)


async def _begin_delivery(database: Database, provider: Provider, email_id: UUID) -> EmailMessage | None:
    async with database.transaction() as db:
        message = await queries.find_undelivered_message(db, email_id)
        if message is not None:
            message.status = EmailStatus.SENDING
            message.attempts += 1
            message.provider = provider.name
        return message


async def _note_delivery(database: Database, message: EmailMessage, provider: Provider, provider_id: str) -> None:
    changes: dict[str, Any] = {"status": EmailStatus.SENT, "provider_id": provider_id, "sent_at": clock.now()}
    if not provider.keeps_messages:
        changes |= ERASED
    async with database.transaction() as db:
        await _change(db, message.id, last_error=None, **changes)


async def _note_failure(
    database: Database, message: EmailMessage, error: DeliveryFailed, *, gives_up: bool, erases: bool = False
) -> None:
    changes: dict[str, Any] = {"status": EmailStatus.FAILED if gives_up else EmailStatus.QUEUED}
    if erases:
        changes |= ERASED
    async with database.transaction() as db:
        await _change(db, message.id, last_error=str(error)[:LONGEST_ERROR], **changes)


async def _change(db: AsyncSession, email_id: UUID, **changes: Any) -> None:  # Any: the columns' values.
    await db.execute(update(EmailMessage).where(EmailMessage.id == email_id).values(**changes))
