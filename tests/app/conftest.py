"""What tests of features share: the application on its production stack, a client, and a database that forgets."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.database import Database
from app.main import create_app
from app.policy import public
from core._router_index import RouteList, RouterIndex
from core.applications import Starlette
from core.requests import Request
from core.responses import Response
from core.routing import Mount, Route, WebSocketRoute
from core.testclient import AsyncTestClient
from tests.databases import (
    DatabaseServer,
    RolledBackDatabase,
    executed_statements,
    new_database_name,
    rolled_back_database,
)

SECRET_OF_THE_FAILURE = "the-database-password"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the whole run, because the pool's connections belong to it."""
    return "asyncio"


@pytest.fixture(scope="session")
async def pool(settings: Settings, anyio_backend: str) -> AsyncIterator[Database]:
    database = Database.from_settings(settings)
    yield database
    await database.close()


@pytest.fixture
async def database(pool: Database) -> AsyncIterator[RolledBackDatabase]:
    """The database, within one transaction that is undone after the test."""
    async with rolled_back_database(pool.engine) as database:
        yield database


@pytest.fixture
async def db(database: RolledBackDatabase) -> AsyncIterator[AsyncSession]:
    """A session that sees what the application writes, and the other way round after a `flush()`."""
    async with database.session() as session:
        yield session


@pytest.fixture(scope="session")
def sorted_routes(settings: Settings, pool: Database) -> RouterIndex:
    """The index of the product's routes, made once: that takes as long as a test's request and is the same each time."""
    router = create_app(settings, database=pool).router
    return RouterIndex(router.routes, (Route, WebSocketRoute, Mount))


@pytest.fixture
async def app(settings: Settings, database: RolledBackDatabase, sorted_routes: RouterIndex) -> Starlette:
    app = create_app(settings, database=database)
    assert isinstance(app.routes, RouteList)
    app.routes.router_index = sorted_routes  # A test that adds a route has another.
    return app


@pytest.fixture
async def client(app: Starlette, settings: Settings) -> AsyncIterator[AsyncTestClient]:
    """A browser without JavaScript: it keeps cookies, and shows redirects instead of following them."""
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        yield client


@pytest.fixture
async def failing_client(app: Starlette, settings: Settings) -> AsyncIterator[AsyncTestClient]:
    """A client that is answered as in production when the application fails, where `client` raises what was raised.

    `/fail` and `/api/v1/fail` fail, with a password in what they say.
    """
    for path, name in (("/fail", "tests.fail"), ("/api/v1/fail", "tests.fail_for_programs")):
        app.router.routes.append(public(Route(path, _fail, name=name)))
    async with AsyncTestClient(
        app, base_url=settings.base_url, raise_server_exceptions=False, follow_redirects=False
    ) as client:
        yield client


async def _fail(request: Request) -> Response:
    raise RuntimeError(SECRET_OF_THE_FAILURE)


@pytest.fixture
def statements(database: RolledBackDatabase) -> Callable[[], AbstractContextManager[list[str]]]:
    """`with statements() as executed:` lists the SQL statements of the block."""
    return partial(executed_statements, database.engine)


@pytest.fixture
async def fresh_database(settings: Settings, server: DatabaseServer, anyio_backend: str) -> AsyncIterator[Database]:
    """A migrated, empty database of its own, for what must really commit or run at the same time."""
    name = new_database_name(server)
    await server.create_database(name)
    database = Database(server.application_url(name), pool_size=10)
    yield database
    await database.close()
    await server.drop_database(name)
