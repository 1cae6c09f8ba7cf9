"""The line to PostgreSQL: lost and found again, with nothing missed; and several processes on one database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from app.database import Database
from app.ids import uuid7
from app.publishing import publish, sweep
from app.realtime.events import RESET
from app.realtime.hub import Hub, Subscription
from app.realtime.listening import PostgresSource

LISTENERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    " OR datname = current_database() AND query LIKE '%realtime_events%' AND pid <> pg_backend_pid() AND state = 'idle'"
)


@asynccontextmanager
async def listening(database: Database, topic: str) -> AsyncIterator[tuple[Hub, Subscription]]:
    hub = Hub(PostgresSource(database.engine.url.render_as_string(hide_password=False)))
    with hub.admitted(uuid7()) as queue:
        await hub.follow(queue, [topic])
        yield hub, queue
    await hub.close()


async def test_what_was_told_while_the_line_was_down_is_heard_when_it_is_up_again(fresh_database: Database) -> None:
    async with listening(fresh_database, "test:1") as (hub, queue):
        async with fresh_database.transaction() as db:
            await publish(db, "test:1", "test.before")
        heard = await queue.next(5)
        assert heard is not None
        # In one transaction: when the line goes, what is published is not yet there to be heard.
        async with fresh_database.transaction() as db:
            await publish(db, "test:1", "test.meanwhile")
            await db.execute(LISTENERS)
            while hub.is_listening.is_set():
                await asyncio.sleep(0)
        heard = await queue.next(5)

    assert heard is not None
    assert heard.type == "test.meanwhile"


async def test_who_missed_too_much_is_told_to_read_anew(fresh_database: Database) -> None:
    async with listening(fresh_database, "test:1") as (hub, queue):
        hub.tell_of_gap()
        heard = await queue.next(5)
    assert heard is not None
    assert heard.type == RESET


async def test_events_are_forgotten_after_ten_minutes(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        await publish(db, "test:1", "test.old")
        await db.execute(text("UPDATE realtime_events SET created_at = now() - interval '11 minutes'"))
        await publish(db, "test:1", "test.new")
        await sweep(db)
        assert (await db.scalars(text("SELECT type FROM realtime_events"))).all() == ["test.new"]
