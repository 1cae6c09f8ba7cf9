"""Events by way of Redis: a real server, and two hubs of which one at a time listens to PostgreSQL."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.database import Database
from app.ids import uuid7
from app.publishing import publish
from app.realtime.events import Event
from app.realtime.hub import Hub, Subscription
from app.realtime.listening import PostgresSource
from app.realtime.redis_relay import GAP, RedisSource, Relay
from tests.networks import free_port

SERVER = shutil.which("redis-server")
SECONDS = 20.0


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    if SERVER is None:
        pytest.skip("No redis-server was found. Install Debian's package redis-server.")
    port = free_port()
    command = [SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    await answers(url)
    yield url
    running.kill()
    running.wait()


async def answers(url: str) -> None:
    client: Redis = Redis.from_url(url)
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await client.ping()
                break
            except RedisError:
                await asyncio.sleep(0)
    await client.aclose()


@asynccontextmanager
async def listening(url: str, database: Database, topic: str) -> AsyncIterator[tuple[Hub, Subscription]]:
    source = PostgresSource(database.engine.url.render_as_string(hide_password=False))
    hub = Hub(RedisSource(url, source))
    try:
        with hub.admitted(uuid7()) as queue:
            await hub.follow(queue, [topic])
            yield hub, queue
    finally:
        await hub.close()


async def hear(database: Database, queue: Subscription, topic: str) -> None:
    """Publish until it is heard: who begins to relay tells everybody to read anew, and the first event may be among that."""
    async with asyncio.timeout(SECONDS):
        while True:
            async with database.transaction() as db:
                await publish(db, topic, "test.happened")
            heard = await queue.next(1)
            if heard is not None and heard.type == "test.happened":
                return


async def test_two_processes_hear_by_redis_and_one_takes_over_from_the_other(
    redis_url: str, fresh_database: Database
) -> None:
    async with listening(redis_url, fresh_database, "test:1") as (_, queue):
        async with listening(redis_url, fresh_database, "test:1") as (_, other):
            await hear(fresh_database, other, "test:1")
            await hear(fresh_database, queue, "test:1")
        await hear(fresh_database, queue, "test:1")


async def test_a_relay_that_cannot_keep_up_tells_everybody_to_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.realtime.redis_relay.LONGEST_QUEUE", 3)
    relay, said = Relay(), Sayings()
    for number in range(1, 5):
        relay.deliver(Event(number, "test:1", "test.happened", {}))
    passing = asyncio.ensure_future(relay.pass_on(said))  # type: ignore[arg-type] # all that it uses of Redis
    async with asyncio.timeout(SECONDS):
        while len(said.texts) < 2:
            await asyncio.sleep(0)
    passing.cancel()

    assert said.texts == [GAP, GAP]


class Sayings:
    """What was published."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def publish(self, channel: str, text: str) -> None:
        self.texts.append(text)
