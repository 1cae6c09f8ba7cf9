"""The audit trail as a CSV file, in parts, each in a transaction of its own: a slow reader holds no connection."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

from app.audit.models import AuditEvent
from app.audit.queries import EventFilter, find_events
from app.database import Database, name_organization
from app.pagination import Position
from app.spreadsheets import csv_line
from app.time_zones import zone

EVENTS_AT_ONCE = 500
COLUMNS = (
    "at",
    "action",
    "actor_type",
    "actor_id",
    "actor",
    "on_behalf_of",
    "target_type",
    "target_id",
    "target",
    "changes",
    "ip",
    "user_agent",
    "request_id",
    "id",
)


async def csv_lines(database: Database, wanted: EventFilter, *, organization_id: UUID) -> AsyncIterator[str]:
    """The events that the filter asks for, newest first, behind a line that names the columns."""
    yield csv_line(COLUMNS)
    after: Position | None = None
    while True:
        async with database.transaction() as db:
            await name_organization(db, organization_id)
            events = await find_events(db, wanted, organization_id=organization_id, after=after, limit=EVENTS_AT_ONCE)
        yield "".join(csv_line(_cells(event)) for event in events)
        if len(events) < EVENTS_AT_ONCE:
            return
        after = Position(events[-1].created_at, events[-1].id)


def _cells(event: AuditEvent) -> list[object]:
    return [
        event.created_at.astimezone(zone()).isoformat(),
        event.action,
        event.actor_type,
        event.actor_id,
        event.actor_label,
        event.on_behalf_of,
        event.target_type,
        event.target_id,
        event.target_label,
        json.dumps(event.changes, ensure_ascii=False) if event.changes else None,
        event.ip,
        event.user_agent,
        event.request_id,
        event.id,
    ]
