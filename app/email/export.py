"""What this feature hands over of a person's data: which messages they were sent. The texts hold links that let people in."""

from typing import Protocol
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.email.models import EmailMessage
from app.exporting import Rows, row_as_json


class Person(Protocol):
    """All that this feature, which knows nothing of accounts, needs to know of somebody."""

    @property
    def id(self) -> UUID: ...


async def export_person(db: AsyncSession, user: Person) -> Rows:
    own = await db.scalars(text("SELECT lower(address) FROM emails WHERE user_id = :id"), {"id": user.id})
    statement = select(EmailMessage).where(func.lower(EmailMessage.to_address).in_(own.all()))
    rows = await db.scalars(statement.order_by(EmailMessage.created_at))
    return {"messages": [row_as_json(row, without=("text", "html", "dedup_key")) for row in rows]}
