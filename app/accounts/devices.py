"""Browsers in which people have logged in before: recognized by a cookie of their own, which outlives every session.

A known browser gets its own budget of attempts, and no mail when it comes back. One that its owner trusts stands for the
second factor, for a while. The cookie lets nobody in: without a first proof it is worth nothing.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.accounts.models import Email, KnownDevice, User
from app.accounts.sessions import is_token
from app.audit.models import RequestFacts
from app.config import Settings
from app.ids import uuid7
from core.requests import HTTPConnection
from core.responses import Response

COOKIE_LIFETIME = timedelta(days=400)  # The longest that browsers keep a cookie.


@dataclass(frozen=True)
class Sighting:
    """What is remarkable about a log-in's device: it is new, and whether it is the person's very first."""

    is_new: bool
    is_first: bool


def cookie_name(settings: Settings) -> str:
    return "__Host-device" if settings.uses_https else "device"


def device_token(connection: HTTPConnection, settings: Settings) -> str:
    """What the browser holds of its device cookie, or nothing. Anybody may claim anything here."""
    value = connection.cookies.get(cookie_name(settings), "")
    return value if is_token(value) else ""


def hash_device(token: str, settings: Settings) -> bytes:
    """What the database keeps of a device cookie: under a key of its own, so that no other cookie's value passes for one."""
    return hmac.digest(settings.key("device"), token.encode(), hashlib.sha256)


def set_device_cookie(response: Response, token: str, settings: Settings) -> None:
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(COOKIE_LIFETIME.total_seconds()),
        httponly=True,
        secure=settings.uses_https,
        samesite="lax",
    )


async def note_device(
    db: AsyncSession, user: User, token_hash: bytes, *, facts: RequestFacts, trusted_until: datetime | None = None
) -> Sighting:
    """Remember that a person logged in from a device, in one statement."""
    now, earlier = clock.now(), aliased(KnownDevice)
    seen = {"last_seen_at": now, "ip": facts.ip, "user_agent": facts.user_agent}
    new = {"id": uuid7(), "user_id": user.id, "token_hash": token_hash, "created_at": now}
    statement = insert(KnownDevice).values(**new, **seen, trusted_until=trusted_until)
    until = func.greatest(KnownDevice.trusted_until, statement.excluded.trusted_until)
    upsert = statement.on_conflict_do_update(
        index_elements=[KnownDevice.user_id, KnownDevice.token_hash], set_={**seen, "trusted_until": until}
    )
    # The subquery sees the table as it was before this statement.
    had_any = exists().where(earlier.user_id == user.id)
    row = (await db.execute(upsert.returning(KnownDevice.id, had_any.label("had_any")))).one()
    return Sighting(is_new=row.id == new["id"], is_first=not row.had_any)


async def replace_token(db: AsyncSession, user: User, old_hash: bytes, new_hash: bytes) -> None:
    """Give a person's device a new cookie: trust begins with a value that nobody can have planted or copied before."""
    of_user = (KnownDevice.user_id == user.id, KnownDevice.token_hash == old_hash)
    await db.execute(update(KnownDevice).where(*of_user).values(token_hash=new_hash))


async def is_trusted(db: AsyncSession, user: User, token_hash: bytes) -> bool:
    """Whether the person told this device, not long ago, to stand for their second factor."""
    of_user = (KnownDevice.user_id == user.id, KnownDevice.token_hash == token_hash)
    return bool(await db.scalar(select(exists().where(*of_user, KnownDevice.trusted_until > clock.now()))))


async def is_known(db: AsyncSession, address: str, token_hash: bytes) -> bool:
    """Whether the owner of an address has logged in from this device before."""
    owner = (func.lower(Email.address) == address.lower(), Email.verified_at.is_not(None))
    device = (KnownDevice.user_id == Email.user_id, KnownDevice.token_hash == token_hash)
    return bool(await db.scalar(select(exists().where(*owner, *device))))


async def forget_trust(db: AsyncSession, user: User) -> None:
    """Let no device stand for the person's second factor any longer: to be called when a password or a factor changes."""
    trusted = (KnownDevice.user_id == user.id, KnownDevice.trusted_until.is_not(None))
    await db.execute(update(KnownDevice).where(*trusted).values(trusted_until=None))
