"""How often something may be done: counts that all processes share, so that a limit holds wherever a request lands."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Index, LargeBinary, Row, case, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.config import current_settings
from app.database import Base, Database
from app.errors import Refusal
from app.language import N_
from core.requests import Request


@dataclass(frozen=True)
class Limit:
    """At most `allowed` times in `seconds` from the first, for one `key` (an address, an account) of the limit `name`.

    `key` may be personal or secret: what is stored is its HMAC. For clients use their network, see `network_of`.
    """

    name: str
    key: str
    allowed: int
    seconds: int


class TooManyRequests(Refusal):
    """A limit is reached; `retry_after` is the whole number of seconds until there is room again."""

    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(N_("That was too often. Wait a moment and try again."), {"retry-after": str(retry_after)})
        self.retry_after = retry_after


class RateLimit(Base):
    """One running count. The table is UNLOGGED: a crash of the database forgives everybody once."""

    __tablename__ = "rate_limits"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index(None, "expires_at"),
        {
            "prefixes": ["UNLOGGED"],
            "info": {"unrecorded": "Attempts are counted whether anything comes of them or not."},
        },
    )


async def hit(database: Database, *limits: Limit, secret: bytes = b"") -> None:
    """Count one more for every limit, or for none of them: raises TooManyRequests if one is reached.

    All limits are counted by one statement in a transaction of its own, so that a refused or failed request counts too; call
    it before the request's own first statement, or the request holds two connections. What one limit refuses does not
    count for the others: somebody refused by their network's limit cannot use up the limit of another's account.
    """
    now = clock.now()
    budgets = {_stored_key(limit, secret): limit for limit in limits}
    async with database.transaction() as db:
        rows = await _count(db, budgets, now)
        waits = [row.expires_at - now for row in rows if row.hits > budgets[row.key].allowed]
        if waits:
            # Raising rolls the counts back.
            raise TooManyRequests(max(1, ceil(max(waits).total_seconds())))


async def hit_by(request: Request, *limits: Limit) -> None:
    """The same for a request, on the application's database and under its secret."""
    secret = current_settings(request).key("throttle")
    await hit(request.app.state.database, *limits, secret=secret)


def client_network(request: Request) -> str:
    """The network that a request comes from."""
    return network_of(request.client.host if request.client else "")


def network_of(ip: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 network of an IPv6 one, which a single person owns whole."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


async def sweep(db: AsyncSession) -> int:
    """Forget the counts that are over, so that the table stays as small as the last hours; returns how many."""
    gone = await db.scalars(delete(RateLimit).where(RateLimit.expires_at <= clock.now()).returning(RateLimit.key))
    return len(gone.all())


async def _count(db: AsyncSession, budgets: dict[bytes, Limit], now: datetime) -> list[Row[bytes, int, datetime]]:
    # In the order of the keys: two statements that lock the same rows in different orders would wait for each other.
    first = [
        {"key": key, "hits": 1, "expires_at": now + timedelta(seconds=budgets[key].seconds)} for key in sorted(budgets)
    ]
    statement = insert(RateLimit).values(first)
    is_over = RateLimit.expires_at <= now
    upsert = statement.on_conflict_do_update(
        index_elements=[RateLimit.key],
        set_={
            "hits": case((is_over, 1), else_=RateLimit.hits + 1),
            "expires_at": case((is_over, statement.excluded.expires_at), else_=RateLimit.expires_at),
        },
    )
    result = await db.execute(upsert.returning(RateLimit.key, RateLimit.hits, RateLimit.expires_at))
    return list(result.all())


def _stored_key(limit: Limit, secret: bytes) -> bytes:
    return hmac.digest(secret, f"{limit.name}\0{limit.seconds}\0{limit.key}".encode(), hashlib.sha256)
