"""Waiting, in tests, until statements wait for each other."""

from sqlalchemy import text

from app.database import Database

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def lock_waits(database: Database, number: int) -> None:
    """Return when that many statements wait for a lock."""
    async with database.transaction() as db:
        while await db.scalar(_WAITING) != number:
            # The statistics of a transaction stand still until they are let go.
            await db.execute(text("SELECT pg_stat_clear_snapshot()"))
