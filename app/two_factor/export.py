"""What this feature hands over of a person's data."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.exporting import Rows, rows_of
from app.two_factor.models import LostAccess, Passkey, RecoveryCode, Totp


async def export_person(db: AsyncSession, user: User) -> Rows:
    return {
        "authenticator_apps": await rows_of(db, Totp.user_id, user.id),
        "recovery_codes": await rows_of(db, RecoveryCode.user_id, user.id),
        "lost_access": await rows_of(db, LostAccess.user_id, user.id),
        "passkeys": await rows_of(db, Passkey.user_id, user.id),
    }
