"""What other services tell us: stored once by its id, in the transaction that puts its work into the queue, worked on in a job."""

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import Index, UniqueConstraint, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Identified
from app.errors import Refusal
from app.ids import uuid7
from app.language import N_
from core.datastructures import Secret

LARGEST_WEBHOOK = 256 * 1024  # Bytes.
# How far the time in a signature may be from ours: whoever records a request cannot send it again tomorrow.
TOLERANCE = timedelta(seconds=300)
KEPT = timedelta(days=30)


class WebhookRefused(Refusal):
    """A request that its alleged sender has not signed, or not lately. It says no more: the sender is a program, or a liar."""

    status_code = 400

    def __init__(self) -> None:
        super().__init__(N_("The signature of this request is missing, wrong or too old."))


@dataclass(frozen=True)
class ReceivedEvent:
    """One thing that was told, after its signature was checked. `id` is the sender's own, the same at each repetition."""

    id: str
    type: str
    payload: dict[str, Any]  # Any: the sender's JSON.


class InboundEvent(Identified, Base):
    """One thing that another service told us."""

    __tablename__ = "inbound_events"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index(None, "received_at"),
        {"info": {"unrecorded": "The row is the record of what another service told us."}},
    )

    source: Mapped[str]
    external_id: Mapped[str]
    type: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
    handled_at: Mapped[datetime | None]


async def store_event(db: AsyncSession, source: str, event: ReceivedEvent) -> UUID | None:
    """Keep the event; its id here, or None if it was told before."""
    new = insert(InboundEvent).values(
        id=uuid7(),
        source=source,
        external_id=event.id,
        type=event.type,
        payload=event.payload,
        received_at=clock.now(),
    )
    kept: UUID | None = await db.scalar(
        new.on_conflict_do_nothing(index_elements=["source", "external_id"]).returning(InboundEvent.id)
    )
    return kept


async def take_event(db: AsyncSession, event_id: UUID) -> InboundEvent | None:
    """The event, locked and marked as handled if this transaction commits; None if it is handled already."""
    event = await db.get(InboundEvent, event_id, with_for_update=True)
    if event is None or event.handled_at is not None:
        return None
    event.handled_at = clock.now()
    return event


async def forget_events(db: AsyncSession) -> None:
    """Forget what was told long ago: no sender repeats itself for that long."""
    await db.execute(delete(InboundEvent).where(InboundEvent.received_at < clock.now() - KEPT))


def require_recent(timestamp: str) -> None:
    """Raise WebhookRefused unless the seconds since 1970 in `timestamp` are those of our clock, but for the tolerance."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookRefused
    if abs(clock.now().timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise WebhookRefused


def is_one_of(given: str, secrets: Iterable[Secret | str]) -> bool:
    """Compare with each in constant time, so that neither the text nor its place in the list shows in how long it took."""
    matches = [hmac.compare_digest(given.encode(), str(secret).encode()) for secret in secrets]
    return any(matches)


def is_signed_by(key: PublicKeyTypes, signature: str, signed: bytes) -> bool:
    """Whether a signature in base64 is that of `key`: ECDSA with SHA-256 (FIPS 186-5), as several services sign."""
    if not isinstance(key, EllipticCurvePublicKey):
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True
