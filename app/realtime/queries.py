"""Events that were missed, and who is present."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.organizations.models import Scope
from app.publishing import RealtimeEvent
from app.realtime.events import Event
from app.realtime.models import Presence

MISSED_AT_MOST = 1000

POSITION = """
SELECT COALESCE((SELECT max(id) FROM realtime_events), 0) AS id,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_transaction
"""
MISSED = f"""
SELECT id, topic, type, data, oldest_transaction FROM realtime_events
WHERE id > $1 OR transaction_id >= $2 ORDER BY id LIMIT {MISSED_AT_MOST + 1}
"""  # noqa: S608 (a constant)


@dataclass(frozen=True)
class Place:
    """Up to where somebody has heard everything, but for the transactions that were running then."""

    id: int
    oldest_transaction: int


class EventsGone(Exception):
    """What was missed is swept away, or is too much to tell."""


async def find_place(db: AsyncSession) -> int:
    """The id of the newest event, from which a listener can ask for those after it."""
    return int((await db.execute(text(POSITION))).one().id)


async def list_missed(db: AsyncSession, topics: Sequence[str], since: int) -> list[Event]:
    """The events of these topics after the one with the id `since`, oldest first. Raises EventsGone.

    Those are included which have a lower id and were committed later, and perhaps some that were seen: 0 is before all events.
    """
    conditions = [RealtimeEvent.id > since]
    if since:
        oldest = await db.scalar(select(RealtimeEvent.oldest_transaction).where(RealtimeEvent.id == since))
        if oldest is None:
            raise EventsGone
        conditions.append(RealtimeEvent.transaction_id >= oldest)
    statement = select(RealtimeEvent).where(
        RealtimeEvent.topic.in_(topics), or_(*conditions), RealtimeEvent.id != since
    )
    found = (await db.scalars(statement.order_by(RealtimeEvent.id).limit(MISSED_AT_MOST + 1))).all()
    if len(found) > MISSED_AT_MOST:
        raise EventsGone
    return [_event(each) for each in found]


async def list_present(
    db: AsyncSession, scope: Scope, *, counts_for: timedelta, place: str | None = None
) -> Sequence[User]:
    """The members who have the scope's organization open, or are at this place of it, by name."""
    here = select(Presence.user_id).where(
        Presence.organization_id == scope.organization.id, Presence.seen_at > clock.now() - counts_for
    )
    if place is not None:
        here = here.where(Presence.place == place)
    statement = select(User).where(User.id.in_(here.scalar_subquery())).order_by(User.name, User.id)
    return (await db.scalars(statement)).all()


async def read_place(connection: Any) -> Place:  # Any: asyncpg's connection has no types.
    row = await connection.fetchrow(POSITION)
    return Place(row["id"], row["oldest_transaction"])


async def read_missed(connection: Any, place: Place) -> list[Event]:  # Any: as above.
    """Everything that a process missed while its line was down. Raises EventsGone."""
    rows = await connection.fetch(MISSED, place.id, place.oldest_transaction)
    if len(rows) > MISSED_AT_MOST:
        raise EventsGone
    return [Event(row["id"], row["topic"], row["type"], row["data"], row["oldest_transaction"]) for row in rows]


def _event(row: RealtimeEvent) -> Event:
    return Event(row.id, row.topic, row.type, row.data, row.oldest_transaction)
