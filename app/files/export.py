"""What this feature hands over of a person's data: what they uploaded, by name; the content belongs to the organizations."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.exporting import Rows, rows_of
from app.files.models import File


async def export_person(db: AsyncSession, user: User) -> Rows:
    return {"files": await rows_of(db, File.uploaded_by, user.id, without=("key", "storage", "uploaded_by"))}
