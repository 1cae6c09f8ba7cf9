"""Who proves an address waits for everybody else who does: the first one deletes what the others claimed.

If those held locks on their claims by then, both would wait for ever. So each of these comes before the link or the code is used up.
"""

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import OneTimeToken, Purpose
from app.accounts.queries import link_works
from app.accounts.sessions import hash_token


async def lock_address(db: AsyncSession, address: str) -> None:
    """Wait for whoever else is proving the address, until their transaction is over."""
    await db.execute(_lock(address.lower()))


async def lock_coded_addresses(db: AsyncSession, purpose: Purpose, browser: str) -> None:
    """The same for every address to which this browser was mailed a code that works, one after the other in their order."""
    address = func.lower(OneTimeToken.sent_to).label("address")
    codes = select(address).where(OneTimeToken.browser_hash == hash_token(browser), *link_works(purpose))
    # Sorted inside, so that two browsers with the same addresses take the locks in the same order.
    sorted_codes = codes.distinct().order_by(address).subquery()
    await db.execute(_lock(sorted_codes.c.address))


async def lock_linked_address(db: AsyncSession, purpose: Purpose, token: str) -> None:
    """The same for the address to which a link was mailed."""
    of_link = select(func.lower(OneTimeToken.sent_to).label("address"))
    linked = of_link.where(OneTimeToken.token_hash == hash_token(token), *link_works(purpose)).subquery()
    await db.execute(_lock(linked.c.address))


def _lock(address: str | ColumnElement[str]) -> Select[None]:
    return select(func.pg_advisory_xact_lock(func.hashtextextended(address, 0)))
