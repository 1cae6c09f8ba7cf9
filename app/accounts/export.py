"""What this feature hands over of a person's data."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Consent, Email, KnownDevice, OneTimeToken, Password, Session, User
from app.exporting import Rows, row_as_json, rows_of


async def export_person(db: AsyncSession, user: User) -> Rows:
    return {
        "person": [row_as_json(user)],
        "addresses": await rows_of(db, Email.user_id, user.id),
        "passwords": await rows_of(db, Password.user_id, user.id, without=("hash",)),
        "sessions": await rows_of(db, Session.user_id, user.id),
        "devices": await rows_of(db, KnownDevice.user_id, user.id),
        "mailed_links": await rows_of(db, OneTimeToken.user_id, user.id),
        "consents": await rows_of(db, Consent.user_id, user.id),
    }
