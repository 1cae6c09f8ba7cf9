"""Reading the audit trail."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import AuditEvent


async def list_events(
    db: AsyncSession, *, organization_id: UUID, before: datetime | None = None, limit: int = 50
) -> Sequence[AuditEvent]:
    """The organization's events, newest first, those older than `before` only if it is given."""
    statement = select(AuditEvent).where(AuditEvent.organization_id == organization_id)
    if before is not None:
        statement = statement.where(AuditEvent.created_at < before)
    return (await db.scalars(statement.order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc()).limit(limit))).all()


async def list_events_of_user(db: AsyncSession, *, user_id: UUID, limit: int = 50) -> Sequence[AuditEvent]:
    """What the user did, in any organization and outside them, themselves or by a token, newest first."""
    own = and_(AuditEvent.actor_id == user_id, AuditEvent.actor_type == "user")
    statement = select(AuditEvent).where(or_(own, AuditEvent.on_behalf_of == user_id))
    return (await db.scalars(statement.order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc()).limit(limit))).all()
