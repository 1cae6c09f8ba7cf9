"""The hub: what one process hears, handed to whoever in it listens.

A process listens once, however many connections it serves, and only from the first of them on. What it hears it puts into each
listener's own bounded queue: one that does not keep up is given up, and costs the others nothing.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from app.errors import Refusal
from app.language import N_
from app.realtime.events import Event, reset
from app.realtime.racing import stop

LONGEST_QUEUE = 100
CONNECTIONS_PER_PERSON = 30
# What was heard lately: after a loss of the line some of it is read again.
REMEMBERED = 10_000
# How many listeners at a time ask the database. When thousands come back after a release, pages need it, too.
CHECKS_AT_A_TIME = 4
LISTENING_SECONDS = 5.0


class TooManyConnections(Refusal):
    """The person has as many connections to this process as one may have."""

    status_code = 429

    def __init__(self) -> None:
        super().__init__(N_("Too many windows listen at the same time. Close some of them."), {"retry-after": "30"})


class CannotListen(Refusal):
    """The line over which events arrive is down."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(N_("Live updates are not available right now."), {"retry-after": "5"})


class TooSlow(Exception):
    """The listener took its events too slowly, and was given up."""


class Receiver(Protocol):
    """What a source hands its events to."""

    is_listening: asyncio.Event

    def deliver(self, event: Event) -> None: ...

    def tell_of_gap(self) -> None: ...


class Source(Protocol):
    """Where events come from: PostgreSQL, or Redis."""

    async def run(self, hub: Receiver) -> None:
        """Hand every event to `hub.deliver`, and keep `hub.is_listening` true while they arrive, until cancelled."""


class Subscription:
    """One listener's queue, and the way past it: `at_once` takes an event without a wait, or says that it did not."""

    def __init__(self) -> None:
        self.topics: set[str] = set()
        self.at_once: Callable[[Event], bool] = queued
        self.overflowed = asyncio.Event()
        self._waiting: deque[Event] = deque()
        self._woken: asyncio.Future[None] | None = None

    def offer(self, event: Event) -> None:
        """Hand the event over now if all before it have been, and else in its turn."""
        woken = self._woken
        if woken is not None and not woken.done() and self.at_once(event):
            return
        if len(self._waiting) >= LONGEST_QUEUE:
            self.overflowed.set()
        else:
            self._waiting.append(event)
        if woken is not None and not woken.done():
            woken.set_result(None)

    async def next(self, seconds: float) -> Event | None:
        """The next event, or None after so many seconds without one. Raises TooSlow."""
        if self.overflowed.is_set():
            raise TooSlow
        if not self._waiting:
            await self._wait(seconds)
        return self._waiting.popleft() if self._waiting else None

    async def _wait(self, seconds: float) -> None:
        self._woken = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait([self._woken], timeout=seconds)
        finally:
            self._woken = None


def queued(event: Event) -> bool:
    """How a listener takes events at once that never does."""
    return False


class Hub:
    """Made for one event loop; `close` ends it."""

    def __init__(self, source: Source) -> None:
        self.is_listening = asyncio.Event()
        self.checks = asyncio.Semaphore(CHECKS_AT_A_TIME)
        self._source = source
        self._running: asyncio.Task[None] | None = None
        self._followers: dict[str, set[Subscription]] = {}
        self._subscriptions: set[Subscription] = set()
        self._connections: Counter[UUID] = Counter()
        self._heard: dict[int, None] = {}

    @contextmanager
    def admitted(self, user_id: UUID) -> Iterator[Subscription]:
        """A queue for one more connection of a person. Raises TooManyConnections."""
        if self._connections[user_id] >= CONNECTIONS_PER_PERSON:
            raise TooManyConnections
        self._connections[user_id] += 1
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            self.unfollow(subscription, list(subscription.topics))
            self._connections[user_id] -= 1
            if not self._connections[user_id]:
                del self._connections[user_id]

    def count_connections(self, user_id: UUID) -> int:
        """How many connections a person has to this process."""
        return self._connections[user_id]

    def is_followed(self, topic: str) -> bool:
        """Whether anybody connected to this process follows a topic."""
        return topic in self._followers

    async def follow(self, subscription: Subscription, topics: Sequence[str]) -> None:
        """Put the events of these topics into the queue from now on. Raises CannotListen."""
        await self._listen()
        for topic in topics:
            subscription.topics.add(topic)
            self._followers.setdefault(topic, set()).add(subscription)

    def unfollow(self, subscription: Subscription, topics: Sequence[str]) -> None:
        for topic in topics:
            subscription.topics.discard(topic)
            followers = self._followers.get(topic, set())
            followers.discard(subscription)
            if not followers:
                self._followers.pop(topic, None)

    def deliver(self, event: Event) -> None:
        """Hand an event to those who follow its topic, unless they had it before."""
        if event.id in self._heard:
            return
        self._heard[event.id] = None
        if len(self._heard) > REMEMBERED:
            del self._heard[next(iter(self._heard))]
        for subscription in self._followers.get(event.topic, ()):
            subscription.offer(event)

    def tell_of_gap(self) -> None:
        """Events were missed for good: everybody reads anew."""
        for subscription in self._subscriptions:
            subscription.offer(reset())

    async def close(self) -> None:
        if self._running is not None:
            await stop(self._running)

    async def _listen(self) -> None:
        if self._running is None:
            self._running = asyncio.ensure_future(self._source.run(self))
        try:
            await asyncio.wait_for(self.is_listening.wait(), LISTENING_SECONDS)
        except TimeoutError:
            raise CannotListen from None
