"""Taking back a deletion: whoever logs in while their account waits to be deleted wants to keep it."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import emails
from app.accounts.models import Email, User
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings


async def revive(db: AsyncSession, settings: Settings, user: User, *, facts: RequestFacts) -> bool:
    """Keep an account that waits to be deleted, and tell its owner; False if it does not wait (any more)."""
    statement = update(User).where(User.id == user.id, User.status == "deleting").returning(User.id)
    changed = statement.values(status="active", delete_at=None).execution_options(synchronize_session=False)
    if await db.scalar(changed) is None:
        return False
    address = await db.scalar(select(Email.address).where(Email.user_id == user.id, Email.is_primary))
    if address is not None:
        await emails.send_deletion_cancelled(db, settings, user, to=address)
    await record_by(db, "privacy.deletion_cancelled", user, facts)
    return True
