"""What this feature hands over of a person's data."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.addresses.models import AddressLink
from app.exporting import Rows, rows_of


async def export_person(db: AsyncSession, user: User) -> Rows:
    return {"address_links": await rows_of(db, AddressLink.user_id, user.id)}
