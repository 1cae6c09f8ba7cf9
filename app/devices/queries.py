"""What a person may see of their sessions and devices. Everything is looked up by the person: a foreign id finds nothing."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import KnownDevice, Session, User


async def list_sessions(db: AsyncSession, user: User) -> Sequence[Session]:
    """A person's live sessions, those used last first."""
    now = clock.now()
    live = (Session.revoked_at.is_(None), Session.expires_at > now, Session.idle_expires_at > now)
    statement = select(Session).where(Session.user_id == user.id, *live)
    return (await db.scalars(statement.order_by(Session.last_seen_at.desc(), Session.id.desc()))).all()


async def list_trusted_devices(db: AsyncSession, user: User) -> Sequence[KnownDevice]:
    """The devices that stand for a person's second factor at present, those seen last first."""
    trusted = (KnownDevice.user_id == user.id, KnownDevice.trusted_until > clock.now())
    return (await db.scalars(select(KnownDevice).where(*trusted).order_by(KnownDevice.last_seen_at.desc()))).all()
