"""What is forgotten about people, and when: the worker does it every night."""

from datetime import timedelta

from sqlalchemy import delete, exists
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.accounts.devices import COOKIE_LIFETIME
from app.accounts.models import Email, KnownDevice, LoginChallenge, OneTimeToken, Session, User

CLAIM_LIFETIME = timedelta(days=7)
MEMORY_OF_SESSIONS = timedelta(days=90)


async def forget_claims(db: AsyncSession) -> int:
    """Delete people who never proved an address in a week; returns how many."""
    is_verified = exists().where(Email.user_id == User.id, Email.verified_at.is_not(None))
    statement = delete(User).where(~is_verified, User.created_at < clock.now() - CLAIM_LIFETIME)
    unproved = statement.returning(User.id).execution_options(unrecorded="Nobody proved that these people exist.")
    return len((await db.scalars(unproved)).all())


async def forget_sessions(db: AsyncSession) -> int:
    """Delete sessions and links that have been over for long; returns how many."""
    before = clock.now() - MEMORY_OF_SESSIONS
    over = delete(Session).where(Session.expires_at < before).returning(Session.id)
    gone = await db.scalars(over.execution_options(unrecorded="These have been over for months."))
    links = await db.scalars(delete(OneTimeToken).where(OneTimeToken.expires_at < before).returning(OneTimeToken.id))
    return len(gone.all()) + len(links.all())


async def forget_challenges(db: AsyncSession) -> int:
    """Delete log-ins that nobody finished in time; returns how many."""
    statement = delete(LoginChallenge).where(LoginChallenge.expires_at < clock.now()).returning(LoginChallenge.id)
    return len((await db.scalars(statement)).all())


async def forget_devices(db: AsyncSession) -> int:
    """Delete devices whose cookie has expired; returns how many.

    The one that a person used last stays: without any, their next log-in would pass for their very first, which is not
    mailed to them.
    """
    newer = aliased(KnownDevice)
    was_followed = exists().where(newer.user_id == KnownDevice.user_id, newer.last_seen_at > KnownDevice.last_seen_at)
    statement = delete(KnownDevice).where(KnownDevice.last_seen_at < clock.now() - COOKIE_LIFETIME, was_followed)
    over = statement.returning(KnownDevice.id).execution_options(unrecorded="No browser holds these cookies any more.")
    return len((await db.scalars(over)).all())
