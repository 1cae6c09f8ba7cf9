"""Hearing events by way of Redis, so that PostgreSQL notifies one process instead of all.

Events are still written and notified within their transactions. One process at a time, the one that holds a lock in Redis, listens
to PostgreSQL and passes on what it hears; if it dies, another takes over within seconds and tells what was missed, since the
events are kept.
"""

import asyncio
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.ids import uuid7
from app.realtime.events import Event
from app.realtime.hub import Receiver
from app.realtime.listening import ASK_EVERY_SECONDS, FIRST_PAUSE, LONGEST_PAUSE, PostgresSource
from app.realtime.racing import finish, first_to_end, stop

log = structlog.get_logger(__name__)

CHANNEL = "slipway:realtime"
LOCK = "slipway:realtime:listener"
GAP = "gap"
LONGEST_QUEUE = 10_000
LOCK_SECONDS = 3.0
REDIS_LOST = (OSError, TimeoutError, RedisError)
# Renews or takes the lock in one step: 1 if it is ours now.
HOLD = """
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] or not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0
"""


class RedisSource:
    """Listens to Redis, and for all processes to PostgreSQL while it is this one's turn."""

    def __init__(self, url: str, listening: PostgresSource) -> None:
        self._url = url
        self._listening = listening
        self._name = str(uuid7())

    async def run(self, hub: Receiver) -> None:
        redis: Redis = Redis.from_url(self._url, health_check_interval=ASK_EVERY_SECONDS)
        relaying = asyncio.ensure_future(self._take_turns(redis))
        try:
            await self._keep_hearing(redis, hub)
        finally:
            await stop(relaying)
            with suppress(*REDIS_LOST):
                await finish(redis.aclose())

    async def _keep_hearing(self, redis: Redis, hub: Receiver) -> None:
        failures, had_heard = 0, False
        while True:
            try:
                async with redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    if had_heard:
                        # Redis keeps nothing: what was told meanwhile has to be read anew.
                        hub.tell_of_gap()
                    had_heard = True
                    hub.is_listening.set()
                    failures = 0
                    while True:
                        message = await channel.get_message(timeout=ASK_EVERY_SECONDS)
                        if message is not None:
                            _hear(hub, message["data"])
            except REDIS_LOST as error:
                failures += 1
                log.warning("realtime.redis_lost", error=repr(error))
            hub.is_listening.clear()
            await asyncio.sleep(min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE))

    async def _take_turns(self, redis: Redis) -> None:
        """Relay while the lock is ours."""
        relaying: asyncio.Task[None] | None = None
        try:
            while True:
                is_ours = await self._holds_lock(redis)
                if is_ours and relaying is None:
                    relay = Relay()
                    relaying = asyncio.ensure_future(first_to_end(self._listening.run(relay), relay.pass_on(redis)))
                elif not is_ours and relaying is not None:
                    await stop(relaying)
                    relaying = None
                await asyncio.sleep(LOCK_SECONDS / 3)
        finally:
            if relaying is not None:
                await stop(relaying)

    async def _holds_lock(self, redis: Redis) -> bool:
        try:
            return bool(await redis.eval(HOLD, 1, LOCK, self._name, str(int(LOCK_SECONDS * 1000))))
        except REDIS_LOST:
            return False


class Relay:
    """What PostgreSQL's source takes for a hub: everything that it hears goes to Redis, in order."""

    def __init__(self) -> None:
        self.is_listening = asyncio.Event()
        self._waiting: asyncio.Queue[str] = asyncio.Queue(LONGEST_QUEUE)

    def deliver(self, event: Event) -> None:
        self._put(event.text)

    def tell_of_gap(self) -> None:
        self._put(GAP)

    def _put(self, text: str) -> None:
        if self._waiting.full():
            # Redis is slower than the product. Whoever listens reads anew what it shows, instead of hearing each event.
            while not self._waiting.empty():
                self._waiting.get_nowait()
            text = GAP
        self._waiting.put_nowait(text)

    async def pass_on(self, redis: Redis) -> None:
        """Whoever begins has not heard what was told before; then everything is said to all processes, until cancelled."""
        self.tell_of_gap()
        while True:
            text = await self._waiting.get()
            try:
                await redis.publish(CHANNEL, text)
            except REDIS_LOST as error:
                log.warning("realtime.redis_lost", error=repr(error))
                await asyncio.sleep(LONGEST_PAUSE / 10)
                self.tell_of_gap()


def _hear(hub: Receiver, text: str | bytes) -> None:
    if text in (GAP, GAP.encode()):
        hub.tell_of_gap()
    else:
        hub.deliver(Event.from_json(text if isinstance(text, str) else text.decode()))
