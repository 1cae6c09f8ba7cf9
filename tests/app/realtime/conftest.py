"""One running product for all tests of a module."""

from collections.abc import AsyncIterator

import pytest

from app.config import Settings
from tests.app.realtime.listening import Product, migrated_database, running_product
from tests.databases import DatabaseServer


@pytest.fixture(scope="module")
async def product(settings: Settings, server: DatabaseServer, anyio_backend: str) -> AsyncIterator[Product]:
    async with migrated_database(server) as database, running_product(settings, database) as product:
        yield product
