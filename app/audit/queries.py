"""Reading the audit trail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, bindparam, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import AuditEvent
from app.pagination import Position
from app.reads import Read


@dataclass(frozen=True)
class EventFilter:
    """What events must have in common; None asks for nothing. `action` is a whole action, or an area: what is before its dot."""

    who: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    actor_type: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == EventFilter()

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.who:
            yield AuditEvent.actor_label.icontains(self.who, autoescape=True)
        if self.action:
            area = AuditEvent.action.startswith(f"{self.action}.", autoescape=True)
            yield or_(AuditEvent.action == self.action, area)
        if self.target:
            yield AuditEvent.target_label.icontains(self.target, autoescape=True)
        if self.since:
            yield AuditEvent.created_at >= self.since
        if self.before:
            yield AuditEvent.created_at < self.before
        if self.actor_type:
            yield AuditEvent.actor_type == self.actor_type


_EVENTS = (
    select(AuditEvent)
    .where(AuditEvent.organization_id == bindparam("organization_id"))
    .order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc())
)


async def find_events(
    db: AsyncSession, wanted: EventFilter, *, organization_id: UUID, after: Position | None, limit: int
) -> Sequence[AuditEvent]:
    """The organization's events that the filter asks for, newest first, those behind `after` only if it is given."""
    statement = select(AuditEvent).where(AuditEvent.organization_id == organization_id, *wanted.conditions())
    if after is not None:
        statement = statement.where(tuple_(AuditEvent.created_at, AuditEvent.id) < tuple_(after.key, after.id))
    return (await db.scalars(statement.order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc()).limit(limit))).all()


async def find_event(db: AsyncSession, event_id: UUID, *, organization_id: UUID) -> AuditEvent | None:
    statement = select(AuditEvent).where(AuditEvent.organization_id == organization_id, AuditEvent.id == event_id)
    return await db.scalar(statement)


_NEWEST = Read(_EVENTS.limit(bindparam("limit", type_=Integer)))
_OLDER = Read(_EVENTS.where(AuditEvent.created_at < bindparam("before")).limit(bindparam("limit", type_=Integer)))


async def list_events(
    db: AsyncSession, *, organization_id: UUID, before: datetime | None = None, limit: int = 50
) -> Sequence[AuditEvent]:
    """The organization's events, newest first, those older than `before` only if it is given."""
    if before is None:
        rows = await _NEWEST.all(db, organization_id=organization_id, limit=limit)
    else:
        rows = await _OLDER.all(db, organization_id=organization_id, limit=limit, before=before)
    return [event for (event,) in rows]


async def list_events_of_user(db: AsyncSession, *, user_id: UUID, limit: int = 50) -> Sequence[AuditEvent]:
    """What the user did, in any organization and outside them, themselves or by a token, newest first."""
    own = and_(AuditEvent.actor_id == user_id, AuditEvent.actor_type == "user")
    statement = select(AuditEvent).where(or_(own, AuditEvent.on_behalf_of == user_id))
    return (await db.scalars(statement.order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc()).limit(limit))).all()
