"""Who is looking at an organization, or at a place in it, right now, over all processes."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import delete, inspect, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.database import Database, system_scope
from app.ids import uuid7
from app.organizations.models import Scope
from app.publishing import publish
from app.realtime.live import LiveConnection
from app.realtime.models import Presence
from app.realtime.queries import list_present
from app.realtime.topics import PRESENCE, presence_topic

log = structlog.get_logger(__name__)

# A row counts for this long after its process was last heard of.
COUNTS_FOR = timedelta(seconds=30)
RENEWED_EVERY_SECONDS = 10.0


class Place(NamedTuple):
    """That somebody is in an organization, at this place of it."""

    organization_id: UUID
    place: str
    user_id: UUID

    @property
    def topics(self) -> Iterator[str]:
        """Who is told: those at the place, and those who follow the whole organization."""
        yield from {presence_topic(self.organization_id, at) for at in ("", self.place)}


@dataclass(frozen=True)
class Others:
    """Who else is at a place, and what tells when that changes."""

    topic: str
    people: Sequence[User]


async def find_others(db: AsyncSession, scope: Scope, place: str) -> Others | None:
    """Who else is at the place that a page shows; None for those who may not see members."""
    if not scope.allows("members.view"):
        return None
    present = await list_present(db, scope, counts_for=COUNTS_FOR, place=place)
    others = [person for person in present if person.id != scope.user.id]
    return Others(presence_topic(scope.organization.id, place), others)


class PresenceKeeper:
    """Keeps the rows of this process: a connection that follows "presence:<id>" makes its person present.

    Who leaves is gone with the next renewal, so that going from page to page is no coming and going.
    """

    def __init__(self, database: Database, *, renewed_every: float = RENEWED_EVERY_SECONDS) -> None:
        self._database = database
        self._renewed_every = renewed_every
        self._process_id = uuid7()
        self._here: Counter[Place] = Counter()
        self._renewing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def keeping(self, live: LiveConnection) -> AsyncIterator[None]:
        """Count a connection where it is present, until it ends."""
        await self.note(live)
        try:
            yield
        finally:
            self._here.subtract(Place(*each, live.user_id) for each in live.present_at)
            live.present_at = frozenset()

    async def note(self, live: LiveConnection) -> None:
        """The connection follows other topics now."""
        before, live.present_at = live.present_at, frozenset(live.followed(PRESENCE))
        self._here.subtract(Place(*each, live.user_id) for each in before - live.present_at)
        arrived = [Place(*each, live.user_id) for each in live.present_at - before]
        new = [place for place in arrived if place not in self._here]
        self._here.update(arrived)
        if new:
            self._renewing = self._renewing or asyncio.ensure_future(self._keep_renewing())
            async with self._database.transaction() as db, system_scope(db):
                await self._write(db, new)
                await _tell(db, new)

    async def close(self) -> None:
        """Nobody is here any more."""
        if self._renewing is None:
            return
        self._renewing.cancel()
        await asyncio.wait([self._renewing])
        places = list(self._here)
        self._here.clear()
        with suppress(SQLAlchemyError, OSError, TimeoutError):
            async with self._database.transaction() as db, system_scope(db):
                await self._erase(db, places)

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self._renewed_every)
            try:
                await self.renew()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("realtime.presence_not_renewed", error=repr(error))

    async def renew(self) -> None:
        """Say that those who are here still are, and that those who left are not."""
        gone = [place for place, connections in self._here.items() if connections <= 0]
        for place in gone:
            del self._here[place]
        if gone or self._here:
            async with self._database.transaction() as db, system_scope(db):
                await self._write(db, list(self._here))
                await self._erase(db, gone)

    async def _write(self, db: AsyncSession, places: Iterable[Place]) -> None:
        now = clock.now()
        rows = [{**each._asdict(), "process_id": self._process_id, "seen_at": now} for each in sorted(places)]
        if rows:
            statement = insert(Presence).values(rows)
            await db.execute(
                statement.on_conflict_do_update(index_elements=inspect(Presence).primary_key, set_={"seen_at": now})
            )

    async def _erase(self, db: AsyncSession, places: list[Place]) -> None:
        if places:
            of_ours = tuple_(Presence.organization_id, Presence.place, Presence.user_id).in_(places)
            await db.execute(delete(Presence).where(Presence.process_id == self._process_id, of_ours))
            await _tell(db, places)


async def forget_absent(db: AsyncSession) -> None:
    """Delete the rows of processes that ended without a word."""
    async with system_scope(db):
        await db.execute(delete(Presence).where(Presence.seen_at < clock.now() - COUNTS_FOR))


async def _tell(db: AsyncSession, places: Iterable[Place]) -> None:
    moved: dict[str, set[UUID]] = defaultdict(set)
    for each in places:
        for topic in each.topics:
            moved[topic].add(each.user_id)
    for topic, people in sorted(moved.items()):
        # Whose page knows that its own person has come need not ask who is there.
        await publish(db, topic, "presence.changed", {"user_id": people.pop()} if len(people) == 1 else None)
