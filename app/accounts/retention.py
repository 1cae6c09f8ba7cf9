"""What is forgotten about people, and when: the worker does it every night."""

from datetime import timedelta

from sqlalchemy import delete, exists
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, OneTimeToken, Session, User

CLAIM_LIFETIME = timedelta(days=7)
MEMORY_OF_SESSIONS = timedelta(days=90)


async def forget_claims(db: AsyncSession) -> int:
    """Delete people who never proved an address in a week; returns how many."""
    is_verified = exists().where(Email.user_id == User.id, Email.verified_at.is_not(None))
    statement = delete(User).where(~is_verified, User.created_at < clock.now() - CLAIM_LIFETIME)
    return len((await db.scalars(statement.returning(User.id))).all())


async def forget_sessions(db: AsyncSession) -> int:
    """Delete sessions and links that have been over for long; returns how many."""
    before = clock.now() - MEMORY_OF_SESSIONS
    gone = await db.scalars(delete(Session).where(Session.expires_at < before).returning(Session.id))
    links = await db.scalars(delete(OneTimeToken).where(OneTimeToken.expires_at < before).returning(OneTimeToken.id))
    return len(gone.all()) + len(links.all())
