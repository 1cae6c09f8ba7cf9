"""How events are forgotten: only by a function of the database, and only those that are old enough."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

MOST_AT_ONCE = 5_000


async def forget_events(db: AsyncSession, *, before: datetime) -> int:
    """Delete events older than `before`, at most MOST_AT_ONCE; returns how many.

    The application's role may not delete events. The function that may (migration `audit_retention`) refuses everything
    younger than 90 days, whoever asks, so that nobody who takes the application over can cover their tracks.
    """
    return int(await db.scalar(select(func.forget_audit_events(before, MOST_AT_ONCE))) or 0)
