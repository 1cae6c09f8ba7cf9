"""Messages that nobody has to get: each carries a link by which its receiver ends them, with one click (RFC 8058)."""

import hashlib
import hmac
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.config import Settings
from app.email.links import absolute
from app.email.models import Subscription
from app.ids import uuid7
from core.exceptions import HTTPException

PURPOSE = "unsubscribe"
SIGNATURE_BYTES = 16


async def subscription_of(db: AsyncSession, *, address: str, kind: str) -> Subscription:
    """The subscription of an address to messages of a kind, made if there is none."""
    new = insert(Subscription).values(id=uuid7(), created_at=clock.now(), address=address, kind=kind)
    await db.execute(new.on_conflict_do_nothing(index_elements=[func.lower(text("address")), "kind"]))
    statement = select(Subscription).where(func.lower(Subscription.address) == address.lower())
    return (await db.scalars(statement.where(Subscription.kind == kind))).one()


async def is_subscribed(db: AsyncSession, *, address: str, kind: str) -> bool:
    """Whether messages of that kind are sent to the address: until its owner says no."""
    statement = select(Subscription.id).where(
        func.lower(Subscription.address) == address.lower(),
        Subscription.kind == kind,
        Subscription.unsubscribed_at.is_not(None),
    )
    return await db.scalar(statement) is None


async def unsubscribe(db: AsyncSession, subscription_id: UUID) -> None:
    """Send no more messages of that kind to that address. Doing it twice changes nothing."""
    statement = update(Subscription).where(Subscription.id == subscription_id, Subscription.unsubscribed_at.is_(None))
    await db.execute(statement.values(unsubscribed_at=clock.now()))


async def subscribe_again(db: AsyncSession, *, address: str, kind: str) -> None:
    """Send messages of that kind again, because the address's owner says so in their settings."""
    subscription = await subscription_of(db, address=address, kind=kind)
    subscription.unsubscribed_at = None
    await db.flush()


async def get_subscription(db: AsyncSession, settings: Settings, token: str) -> Subscription:
    """The subscription that a link names, or a 404: for a token that we did not make, too."""
    subscription_id = _read(settings, token)
    found = await db.get(Subscription, subscription_id) if subscription_id else None
    if found is None:
        raise HTTPException(404)
    return found


def unsubscribe_url(settings: Settings, subscription: Subscription) -> str:
    """The link for a message. It stays good: an old message must be able to end what it began."""
    token = subscription.id.hex + _signature(settings.key(PURPOSE), subscription.id)
    return absolute(settings, f"/unsubscribe/{token}")


def _read(settings: Settings, token: str) -> UUID | None:
    try:
        subscription_id = UUID(hex=token[:32])
    except ValueError:
        return None
    given = token[32:].encode()
    is_ours = any(
        hmac.compare_digest(given, _signature(key, subscription_id).encode()) for key in settings.keys(PURPOSE)
    )
    return subscription_id if is_ours else None


def _signature(key: bytes, subscription_id: UUID) -> str:
    return hmac.digest(key, subscription_id.bytes, hashlib.sha256)[:SIGNATURE_BYTES].hex()
