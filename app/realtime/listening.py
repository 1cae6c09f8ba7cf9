"""Hearing events from PostgreSQL: one connection of a process's own, outside the pool, that LISTENs.

Not through PgBouncer in its transaction mode, which would give the connection to others between two notifications.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.publishing import CHANNEL, KEPT
from app.realtime.events import Event
from app.realtime.hub import Receiver
from app.realtime.queries import EventsGone, Place, read_missed, read_place
from app.realtime.racing import finish

log = structlog.get_logger(__name__)

LINE_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError)
# A line that is cut without a word is noticed by a question that nobody answers.
ASK_EVERY_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0


async def keep_listening(hub: Receiver, listen: Callable[[Receiver], Awaitable[None]]) -> None:
    """Call `listen` again whenever it returns or loses its line; the pauses grow until it listens again."""
    failures = 0
    while True:
        try:
            await listen(hub)
        except LINE_LOST as error:
            log.warning("realtime.connection_lost", error=repr(error))
        except Exception:
            # A mistake of ours must not leave a process deaf until it is restarted.
            log.exception("realtime.failed")
        failures = 0 if hub.is_listening.is_set() else failures + 1
        hub.is_listening.clear()
        await asyncio.sleep(min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE))


class PostgresSource:
    """Listens, connects anew when the line is lost, and then reads what was told meanwhile."""

    def __init__(self, url: str, *, ask_every: float = ASK_EVERY_SECONDS) -> None:
        self._database = Database(url, pool_size=1)
        self._ask_every = ask_every
        self._place: Place | None = None
        self._heard_at = 0.0

    async def run(self, hub: Receiver) -> None:
        try:
            await keep_listening(hub, self._listen)
        finally:
            await finish(self._database.close())

    async def _listen(self, hub: Receiver) -> None:
        async with self._database.engine.connect() as pooled:
            # Raw, because the driver has no other way to listen; nobody else ever gets it.
            connection = (await pooled.get_raw_connection()).driver_connection
            try:
                await self._listen_on(hub, connection)
            finally:
                await finish(pooled.invalidate())

    async def _listen_on(self, hub: Receiver, connection: Any) -> None:  # Any: asyncpg's connection has no types.
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, lambda *heard: self._hear(hub, heard[3]))
        await self._catch_up(hub, connection)
        hub.is_listening.set()
        await self._watch(connection, lost)

    def _hear(self, hub: Receiver, payload: str) -> None:
        event = Event.from_json(payload)
        self._place, self._heard_at = Place(event.id, event.oldest_transaction), time.monotonic()
        hub.deliver(event)

    async def _catch_up(self, hub: Receiver, connection: Any) -> None:  # Any: asyncpg's connection has no types.
        before, here = self._place, await read_place(connection)
        try:
            if before is not None:
                if time.monotonic() - self._heard_at > KEPT.total_seconds():
                    raise EventsGone
                for event in await read_missed(connection, before):
                    hub.deliver(event)
        except EventsGone:
            hub.tell_of_gap()
        self._place, self._heard_at = here, time.monotonic()

    async def _watch(self, connection: Any, lost: asyncio.Event) -> None:  # Any: as above.
        """Return when the line is gone."""
        while not lost.is_set():
            try:
                await asyncio.wait_for(lost.wait(), self._ask_every)
            except TimeoutError:
                await connection.fetchval("SELECT 1", timeout=self._ask_every)
                self._heard_at = time.monotonic()
