"""Waiting for a place, and being let in."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.sessions import hash_token, new_token
from app.config import Settings
from app.ids import uuid7
from app.waitlist import emails
from app.waitlist.models import WaitlistEntry

INVITATION_LIFETIME = timedelta(days=14)


async def join_waitlist(db: AsyncSession, settings: Settings, *, address: str) -> None:
    """Put an address on the list and tell it so. One that is there already keeps its place, and is told the same."""
    statement = insert(WaitlistEntry).values(id=uuid7(), address=address, created_at=clock.now())
    await db.execute(statement.on_conflict_do_nothing())
    await emails.send_joined(db, settings, to=address)


async def invite_from_waitlist(db: AsyncSession, settings: Settings, *, count: int) -> list[str]:
    """Mail a link that lets them sign up to those who have waited longest; returns their addresses."""
    statement = (
        select(WaitlistEntry)
        .where(WaitlistEntry.invited_at.is_(None))
        .order_by(WaitlistEntry.created_at, WaitlistEntry.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    entries = (await db.scalars(statement)).all()
    for entry in entries:
        token, now = new_token(), clock.now()
        entry.token_hash, entry.invited_at, entry.expires_at = hash_token(token), now, now + INVITATION_LIFETIME
        await emails.send_invited(db, settings, to=entry.address, token=token)
    await db.flush()
    return [entry.address for entry in entries]
