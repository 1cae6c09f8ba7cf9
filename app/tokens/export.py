"""What this feature hands over of a person's data."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.exporting import Rows, rows_of
from app.tokens.models import PersonalToken


async def export_person(db: AsyncSession, user: User) -> Rows:
    return {"access_tokens": await rows_of(db, PersonalToken.user_id, user.id)}
