"""Reading the messages."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.email.models import UNDELIVERED, EmailMessage, EmailStatus, Subscription
from core.exceptions import HTTPException


async def list_messages(
    db: AsyncSession, *, to_address: str | None = None, status: EmailStatus | None = None, limit: int = 200
) -> Sequence[EmailMessage]:
    """The latest messages, newest first, those to one address or in one state only if it is given."""
    statement = select(EmailMessage).order_by(EmailMessage.created_at.desc(), EmailMessage.id.desc()).limit(limit)
    if to_address:
        statement = statement.where(EmailMessage.to_address == to_address)
    if status:
        statement = statement.where(EmailMessage.status == status)
    return (await db.scalars(statement)).all()


async def get_message(db: AsyncSession, email_id: UUID) -> EmailMessage:
    """The message, or a 404."""
    message = await db.get(EmailMessage, email_id)
    if message is None:
        raise HTTPException(404)
    return message


async def get_message_by_dedup_key(db: AsyncSession, dedup_key: str) -> EmailMessage:
    """The message that was sent under this key. Raises NoResultFound."""
    return (await db.scalars(select(EmailMessage).where(EmailMessage.dedup_key == dedup_key))).one()


async def find_undelivered_message(db: AsyncSession, email_id: UUID) -> EmailMessage | None:
    """The message, locked, if it is still to be delivered."""
    statement = select(EmailMessage).where(EmailMessage.id == email_id, EmailMessage.status.in_(UNDELIVERED))
    return (await db.scalars(statement.with_for_update())).one_or_none()


async def is_unsubscribed(db: AsyncSession, subscription_id: UUID) -> bool:
    """Whether the receiver has ended this subscription."""
    statement = select(Subscription.id).where(
        Subscription.id == subscription_id, Subscription.unsubscribed_at.is_not(None)
    )
    return await db.scalar(statement) is not None


async def count_by_status(db: AsyncSession) -> dict[str, int]:
    """How many messages that are kept are in each state."""
    statement = select(EmailMessage.status, func.count()).group_by(EmailMessage.status)
    return {row[0]: row[1] for row in await db.execute(statement)}
