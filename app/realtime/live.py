"""One connection that listens: a session's, until that ends; to topics, as long as it may follow them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.accounts.dependencies import NotSignedIn
from app.accounts.models import Session
from app.database import Database
from app.errors import Refusal
from app.language import N_
from app.realtime.access import find_listener, require_topics
from app.realtime.events import Event, reset
from app.realtime.hub import Hub, Subscription, TooSlow
from app.realtime.queries import EventsGone, find_place, list_missed
from app.realtime.topics import USER, Topic
from core.requests import HTTPConnection

# Rights that end by themselves, such as an organization's limit on the age of sessions, are found by looking now and then.
LOOK_EVERY = timedelta(minutes=5)
TOPICS_AT_MOST = 50

# Close codes: 4401 as in graphql-transport-ws, the others of RFC 6455 and its registry.
UNAUTHORIZED, TRY_AGAIN_LATER = 4401, 1013


class TooManyTopics(Refusal):
    def __init__(self) -> None:
        super().__init__(N_("One connection cannot follow so many topics."))


class Ended(Exception):
    """The connection is over, for a reason that the client is told."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class LiveConnection:
    """What a websocket, a stream of events or a subscription of GraphQL is to the hub."""

    def __init__(self, hub: Hub, database: Database, token: str, session: Session, queue: Subscription) -> None:
        self.hub = hub
        self.user = session.user
        self.user_id: UUID = session.user_id
        self.queue = queue
        # Where this connection makes its person present: organizations and places in them (`app.realtime.presence`).
        self.present_at: frozenset[tuple[UUID, str]] = frozenset()
        self._database = database
        self._token = token
        self._session_id: UUID = session.id
        self._expires_at = _end_of(session)
        self._topics: dict[str, Topic] = {}
        self._told: set[int] = set()

    async def begin(self) -> None:
        """Hear when the session or its person's rights end. Raises CannotListen."""
        await self.hub.follow(self.queue, self._needed({}))

    async def follow(self, names: Sequence[str], since: int | None = None) -> list[Event]:
        """Follow topics too; returns what happened in them after the event `since`.

        Raises NoSuchTopic, TooManyTopics and the refusals of pages; then nothing has changed.
        """
        topics = {name: Topic.parse(name) for name in names}
        if len(self._topics | topics) > TOPICS_AT_MOST:
            raise TooManyTopics
        await self.hub.follow(self.queue, self._needed(topics))
        try:
            await self._check(list(topics.values()))
        except Refusal:
            self._drop_what_is_not_needed()
            raise
        self._topics |= topics
        return [] if since is None else await self._missed(list(topics), since)

    def unfollow(self, names: Sequence[str]) -> None:
        for name in names:
            self._topics.pop(name, None)
        self._drop_what_is_not_needed()

    def followed(self, kind: str) -> list[tuple[UUID, str]]:
        """The organizations and places of the topics of this kind that are followed."""
        return [(topic.id, topic.place) for topic in self._topics.values() if topic.kind == kind]

    async def find_place(self) -> int:
        """The id of the newest event of all."""
        async with self.hub.checks, self._database.transaction() as db:
            return await find_place(db)

    async def events(self) -> AsyncIterator[Event]:
        """What happens in the topics, from now on. Raises Ended."""
        while True:
            try:
                event = await self.queue.next(self._seconds_until_look())
            except TooSlow:
                raise Ended(TRY_AGAIN_LATER, "Too slow") from None
            if event is None or event.changes_access:
                await self.check()
            elif self._tells(event):
                yield event

    def write_with(self, write: Callable[[bytes], bool]) -> None:
        """From now on give the frame of an event to `write` at once, if that takes it; `events` has what it does not."""

        def at_once(event: Event) -> bool:
            return not event.changes_access and (not self._tells(event) or write(event.frame))

        self.queue.at_once = at_once

    def _tells(self, event: Event) -> bool:
        return (event.topic in self._topics or not event.id) and event.id not in self._told

    async def check(self) -> None:
        """Look again whether the session is live and may follow what it follows. Raises Ended."""
        try:
            await self._check(list(self._topics.values()))
        except Refusal as refusal:
            raise Ended(UNAUTHORIZED, "Unauthorized") from refusal
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            # Who cannot be asked about gets nothing more; the client comes back.
            raise Ended(TRY_AGAIN_LATER, "Try again") from error

    async def _check(self, topics: Sequence[Topic]) -> None:
        async with self.hub.checks, self._database.transaction() as db:
            session = await find_listener(db, self._token)
            if session is None:
                raise NotSignedIn
            self._expires_at = _end_of(session)
            await require_topics(db, session, topics)

    async def _missed(self, names: Sequence[str], since: int) -> list[Event]:
        try:
            async with self.hub.checks, self._database.transaction() as db:
                missed = await list_missed(db, names, since)
        except EventsGone:
            return [reset()]
        # The queue has what was told since it follows, so that some of these come twice.
        self._told |= {event.id for event in missed}
        return [event for event in missed if not event.changes_access]

    async def until_end(self) -> None:
        """Wait until the connection may no longer be. Raises Ended."""
        async for _ in self.events():
            continue

    def _needed(self, topics: Mapping[str, Topic]) -> list[str]:
        """The topics, and those that tell of changed rights."""
        organizations = {f"organization:{topic.id}" for topic in topics.values() if topic.permissions}
        return [*{*topics, *organizations}, f"session:{self._session_id}", f"{USER}:{self.user_id}"]

    def _drop_what_is_not_needed(self) -> None:
        self.hub.unfollow(self.queue, list(self.queue.topics.difference(self._needed(self._topics))))

    def _seconds_until_look(self) -> float:
        until_end = (self._expires_at - clock.now()).total_seconds()
        return max(min(until_end + 0.01, LOOK_EVERY.total_seconds()), 0)


@asynccontextmanager
async def live_connection(connection: HTTPConnection) -> AsyncIterator[LiveConnection]:
    """The connection of whoever is signed in. Raises NotSignedIn, TooManyConnections and CannotListen."""
    hub, database = connection.app.state.hub, connection.app.state.database
    token = connection.user.session_token
    session = await _require_session(hub, database, token)
    with hub.admitted(session.user_id) as queue:
        live = LiveConnection(hub, database, token, session, queue)
        await live.begin()
        # It may have ended before we listened for its end.
        await _require_session(hub, database, token)
        yield live


async def _require_session(hub: Hub, database: Database, token: str | None) -> Session:
    async with hub.checks, database.transaction() as db:
        session = await find_listener(db, token)
    if session is None:
        raise NotSignedIn
    return session


def _end_of(session: Session) -> datetime:
    return min(session.expires_at, session.idle_expires_at)
