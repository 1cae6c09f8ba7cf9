"""Sending e-mail: written with the change that causes it, delivered by the worker."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.email import queries
from app.email.delivery import change_message
from app.email.models import EmailMessage, EmailStatus
from app.email.rendering import render_message
from app.email.subscriptions import subscription_of, unsubscribe_url
from app.errors import Refusal
from app.jobs.actions import enqueue
from app.language import N_, speaking

FINISHED = (EmailStatus.SENT, EmailStatus.FAILED, EmailStatus.UNCLEAR, EmailStatus.WITHHELD)


class CannotBeSentAgain(Refusal):
    """The message is on its way, or was sent or refused, and its body is gone."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("This message cannot be sent again: it was delivered or refused, and its text is gone."))


async def send(
    db: AsyncSession,
    *,
    settings: Settings,
    to: str,
    template: str,
    context: Mapping[str, Any],
    dedup_key: str | None = None,
    locale: str | None = None,
    unsubscribe: str | None = None,
) -> EmailMessage:
    """Write a message from `templates/emails/<template>` and have it delivered, if this transaction commits.

    `locale` is the receiver's language, where it is known; else that of whoever causes the message. A second message with
    the same `dedup_key` is not sent; the first is returned. `unsubscribe` names the kind of messages that the receiver may do
    without ("digest"): it then carries a link to end them. Whatever concerns the security of an account has none.
    """
    subscription = await subscription_of(db, address=to, kind=unsubscribe) if unsubscribe else None
    way_out = unsubscribe_url(settings, subscription) if subscription else None
    with speaking(locale):
        rendered = render_message(
            settings, to_address=to, template=template, context={"unsubscribe_url": way_out, **context}
        )
    message = EmailMessage(
        to_address=to,
        template=template,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        locale=rendered.locale,
        dedup_key=dedup_key,
        unsubscribe_url=way_out,
        subscription_id=subscription.id if subscription else None,
    )
    try:
        await _add(db, message)
    except IntegrityError:
        return await queries.get_message_by_dedup_key(db, message.dedup_key or "")
    await enqueue(db, "email.deliver", {"email_id": message.id})
    return message


async def redeliver(db: AsyncSession, message: EmailMessage) -> None:
    """Try a message again from the start that was given up, or of which nobody knows whether it was sent. Raises CannotBeSentAgain."""
    if not message.can_be_sent_again:
        raise CannotBeSentAgain
    await change_message(db, message.id, status=EmailStatus.QUEUED, attempts=0, last_error=None)
    await enqueue(db, "email.deliver", {"email_id": message.id})


async def forget_messages(db: AsyncSession, *, before: datetime) -> int:
    """Delete the messages of earlier than `before`, delivered or given up; returns how many."""
    statement = delete(EmailMessage).where(EmailMessage.status.in_(FINISHED), EmailMessage.created_at < before)
    return len((await db.scalars(statement.returning(EmailMessage.id))).all())


async def _add(db: AsyncSession, message: EmailMessage) -> None:
    if message.dedup_key is None:
        db.add(message)
        await db.flush()
        return
    # Within a savepoint: a key that is taken must not undo what the transaction did before.
    async with db.begin_nested():
        db.add(message)
