"""What this feature hands over of a person's data."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.connections.models import Identity
from app.exporting import Rows, rows_of


async def export_person(db: AsyncSession, user: User) -> Rows:
    return {"connections": await rows_of(db, Identity.user_id, user.id)}
