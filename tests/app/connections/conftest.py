"""The product with the local provider, which is a server of its own."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.config import Settings
from app.config_providers import LogInProvider
from app.main import create_app
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.connections.local_server import local_server
from tests.databases import RolledBackDatabase


@pytest.fixture
async def local(settings: Settings, database: RolledBackDatabase) -> AsyncIterator[LogInProvider]:
    async with local_server(settings, database) as provider:
        yield provider


@pytest.fixture
async def app(settings: Settings, database: RolledBackDatabase, local: LogInProvider) -> Starlette:
    return create_app(replace(settings, log_in_providers=(local,)), database=database)


@pytest.fixture
async def other_client(app: Starlette, settings: Settings) -> AsyncIterator[AsyncTestClient]:
    """Another browser."""
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        yield client
