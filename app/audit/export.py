"""What this feature hands over of a person's data: what they did, and what was done to their account."""

from typing import Protocol
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import AuditEvent
from app.exporting import Rows, row_as_json


class Person(Protocol):
    """All that this feature, which knows nothing of accounts, needs to know of somebody."""

    @property
    def id(self) -> UUID: ...


async def export_person(db: AsyncSession, user: Person) -> Rows:
    about = and_(AuditEvent.target_type == "user", AuditEvent.target_id == user.id)
    statement = select(AuditEvent).where(or_(AuditEvent.actor_id == user.id, about)).order_by(AuditEvent.created_at)
    return {"activity": [row_as_json(event) for event in await db.scalars(statement)]}
