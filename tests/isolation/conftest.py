"""One application, one transaction and everybody logged in, made once for all of these tests."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from app.config import Settings
from app.database import Database
from app.main import create_app
from core.testclient import AsyncTestClient
from tests.app.conftest import anyio_backend, pool
from tests.databases import RolledBackDatabase
from tests.isolation.world import World, make_world

__all__ = ["anyio_backend", "pool"]


@pytest.fixture(scope="module")
async def world(settings: Settings, pool: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    settings = replace(settings, data_directory=tmp_path_factory.mktemp("isolation"))
    async with pool.engine.connect() as connection:
        transaction = await connection.begin()
        await connection.execute(text("SELECT 1"))
        database = RolledBackDatabase(connection)
        app = create_app(settings, database=database)
        async with AsyncTestClient(app, base_url=settings.base_url).lifespan():
            yield await make_world(app, settings, database, connection)
        await transaction.rollback()
