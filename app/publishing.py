"""Telling every process what has changed: events of a few ids, kept for ten minutes, told when their transaction commits.

    await publish(db, f"organization:{scope.organization.id}", "project.changed", {"project_id": project.id})

The database keeps the event and notifies whoever listens (the hub of `app.realtime`), both as part of the transaction, so
that nothing is told which did not happen. Some tables publish for themselves, by triggers: sessions, memberships, the audit
trail, notifications.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, cast, delete, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base

CHANNEL = "realtime"
KEPT = timedelta(minutes=10)
# PostgreSQL notifies with less than 8,000 bytes; an event names what changed, and is no place for the change itself.
LARGEST_DATA = 2000


class RealtimeEvent(Base):
    """One event. Whoever missed some asks for those after the last that they saw (`app.realtime.queries`)."""

    __tablename__ = "realtime_events"
    __table_args__ = (
        CheckConstraint(f"octet_length(data::text) <= {LARGEST_DATA}", name="data_size"),
        Index(None, "topic", "id"),
        Index(None, "transaction_id"),
        Index(None, "created_at"),
        {"info": {"unrecorded": "What listeners are told follows from what is recorded."}},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    topic: Mapped[str]
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    # Ids follow the order of the INSERTs, not of the COMMITs. These two tell which events with lower ids were committed later:
    # those of transactions that ran when this event was written.
    transaction_id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("((pg_current_xact_id())::text)::bigint")
    )
    oldest_transaction: Mapped[int] = mapped_column(
        BigInteger, server_default=text("((pg_snapshot_xmin(pg_current_snapshot()))::text)::bigint")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


async def publish(db: AsyncSession, topic: str, type: str, data: Mapping[str, object] | None = None) -> None:
    """Tell whoever follows `topic` ("kind:id") that something of this `type` ("feature.past_tense_verb") happened.

    `data` holds ids, at most `LARGEST_DATA` bytes of JSON; the database refuses more.
    """
    ids = {name: str(value) if isinstance(value, UUID) else value for name, value in (data or {}).items()}
    await db.execute(select(func.publish_event(topic, type, cast(ids, JSONB))))


async def sweep(db: AsyncSession) -> None:
    """Forget the events that nobody who was away for a moment will ask for any more."""
    await db.execute(delete(RealtimeEvent).where(RealtimeEvent.created_at < func.now() - KEPT))
