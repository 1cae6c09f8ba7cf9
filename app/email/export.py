"""What this feature hands over of a person's data: which messages they were sent. The texts hold links that let people in."""

from typing import Protocol
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.email.models import EmailMessage, Subscription, Suppression
from app.exporting import Rows, row_as_json


class Person(Protocol):
    """All that this feature, which knows nothing of accounts, needs to know of somebody."""

    @property
    def id(self) -> UUID: ...


async def export_person(db: AsyncSession, user: Person) -> Rows:
    own = (await db.scalars(text("SELECT lower(address) FROM emails WHERE user_id = :id"), {"id": user.id})).all()
    messages = select(EmailMessage).where(func.lower(EmailMessage.to_address).in_(own))
    subscriptions = select(Subscription).where(func.lower(Subscription.address).in_(own))
    suppressions = select(Suppression).where(func.lower(Suppression.address).in_(own))
    secret = ("text", "html", "dedup_key", "unsubscribe_url")
    rows = await db.scalars(messages.order_by(EmailMessage.created_at))
    return {
        "messages": [row_as_json(row, without=secret) for row in rows],
        "subscriptions": [row_as_json(row) for row in await db.scalars(subscriptions)],
        "suppressions": [row_as_json(row) for row in await db.scalars(suppressions)],
    }
