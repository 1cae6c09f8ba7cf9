"""The hub of a process, for as long as its application runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.config import Settings
from app.database import Database
from app.realtime.hub import Hub, Source
from app.realtime.listening import PostgresSource
from app.realtime.presence import PresenceKeeper
from app.realtime.redis_relay import RedisSource
from core.applications import Starlette


@asynccontextmanager
async def realtime(app: Starlette, settings: Settings, database: Database) -> AsyncIterator[None]:
    """Put the hub and who is present into `app.state`. Neither does anything before somebody listens."""
    hub = Hub(_source(settings))
    presence = PresenceKeeper(database)
    app.state.hub, app.state.presence = hub, presence
    try:
        yield
    finally:
        await presence.close()
        await hub.close()


def _source(settings: Settings) -> Source:
    listening = PostgresSource(settings.database_url)
    redis_url = str(settings.redis_url)
    return RedisSource(redis_url, listening) if redis_url else listening
