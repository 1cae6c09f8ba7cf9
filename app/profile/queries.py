"""Pictures, and what has happened in a person's account."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import AuditEvent
from app.pagination import Position
from app.profile.models import Avatar


async def find_avatar(db: AsyncSession, user_id: UUID, digest: str) -> Avatar | None:
    """A person's picture, if it is still this one."""
    return await db.scalar(select(Avatar).where(Avatar.user_id == user_id, Avatar.digest == digest))


async def list_events(
    db: AsyncSession, user_id: UUID, *, after: Position | None = None, limit: int = 50
) -> Sequence[AuditEvent]:
    """What happened in a person's account, by them or to it, newest first. What they do in organizations is not in it."""
    is_theirs = or_(
        AuditEvent.actor_id == user_id, and_(AuditEvent.target_type == "user", AuditEvent.target_id == user_id)
    )
    statement = select(AuditEvent).where(AuditEvent.organization_id.is_(None), is_theirs)
    if after is not None:
        statement = statement.where(tuple_(AuditEvent.created_at, AuditEvent.id) < (after.key, after.id))
    return (await db.scalars(statement.order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc()).limit(limit))).all()
