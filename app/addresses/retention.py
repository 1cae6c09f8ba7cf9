"""What is forgotten about addresses, and when: the worker does it every night."""

from datetime import timedelta

from sqlalchemy import delete, exists
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.accounts.models import Email
from app.addresses.models import AddressLink

CLAIM_LIFETIME = timedelta(days=7)


async def forget_claims(db: AsyncSession) -> int:
    """Delete addresses that nobody proved within a week, and links that are over; returns how many addresses."""
    proved = aliased(Email)
    has_proved_another = exists().where(proved.user_id == Email.user_id, proved.verified_at.is_not(None))
    is_old = Email.created_at < clock.now() - CLAIM_LIFETIME
    statement = delete(Email).where(Email.verified_at.is_(None), is_old, has_proved_another).returning(Email.id)
    gone = await db.scalars(statement.execution_options(synchronize_session=False))
    await db.execute(delete(AddressLink).where(AddressLink.expires_at < clock.now() - CLAIM_LIFETIME))
    return len(gone.all())
