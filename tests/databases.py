"""Databases for tests: one server a run, one migrated template, a copy for every worker, and one undone transaction a test."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from app.config_rules import postgresql_url
from app.database import Database
from app.database_roles import prepare_application_role
from app.embedded_postgres import OWNER, EmbeddedPostgres, remove_abandoned
from app.schema import upgrade

APPLICATION = "slipway_test_app"
SAVEPOINTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
NAMES = ("app.organization_id", "app.user_id", "app.system")
READ_NAMES = [f"COALESCE(current_setting('{name}', true), '')" for name in NAMES]
SET_NAMES = [f"set_config('{name}', ${position}, true)" for position, name in enumerate(NAMES, 1)]
# One statement, because a test needs it dozens of times. Its columns are computed from left to right.
TAKE_NAMES = f"SELECT {', '.join(READ_NAMES + SET_NAMES)}"


def run_id() -> str:
    """What all workers of one run share."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")[:12]


@dataclass(frozen=True)
class DatabaseServer:
    """A PostgreSQL server on which tests may create databases."""

    owner: URL

    @property
    def template(self) -> str:
        return f"slipway_test_{run_id()}"

    def owner_url(self, database: str) -> str:
        return self.owner.set(database=database).render_as_string(hide_password=False)

    def application_url(self, database: str) -> str:
        # The same in every run on a server that stays, because the role stays too.
        password = hashlib.sha256(f"{self.owner.password}".encode()).hexdigest()
        address = self.owner.set(username=APPLICATION, password=password, database=database)
        return address.render_as_string(hide_password=False)

    async def create_template(self) -> None:
        """Make the migrated database that all others are copies of, unless another worker has."""
        async with self._administration() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": self.template})
            exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = :name)"
            if not await connection.scalar(text(exists), {"name": self.template}):
                await connection.execute(text(f'DROP DATABASE IF EXISTS "{self.template}.new"'))
                await connection.execute(text(f'CREATE DATABASE "{self.template}.new"'))
                await self._migrate(f"{self.template}.new")
                await connection.execute(text(f'ALTER DATABASE "{self.template}.new" RENAME TO "{self.template}"'))

    async def create_database(self, name: str) -> None:
        async with self._administration() as connection:
            copy = f'CREATE DATABASE "{name}" TEMPLATE "{self.template}" STRATEGY FILE_COPY'
            await connection.execute(text(copy))
            # Rights on the database itself are not copied.
            await connection.execute(text(f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC'))

    async def create_empty_database(self, name: str) -> None:
        async with self._administration() as connection:
            await connection.execute(text(f'CREATE DATABASE "{name}"'))

    async def drop_database(self, name: str) -> None:
        async with self._administration() as connection:
            await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    async def drop_role(self, name: str) -> None:
        async with self._administration() as connection:
            await connection.execute(text(f'DROP ROLE "{name}"'))

    async def _migrate(self, database: str) -> None:
        engine = create_async_engine(self.owner_url(database), poolclass=NullPool)
        await upgrade(engine)
        await prepare_application_role(engine, self.application_url(database))
        await engine.dispose()

    @asynccontextmanager
    async def _administration(self) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine(self.owner, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            yield connection
        await engine.dispose()


@contextmanager
def database_server() -> Iterator[DatabaseServer]:
    """The server that TEST_DATABASE_URL or DATABASE_URL names (its role must be allowed to create databases), else our own."""
    given = [os.environ.get(name) for name in ("TEST_DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_URL")]
    if url := next(filter(None, given), None):
        yield DatabaseServer(make_url(postgresql_url(url)))
        return
    folder = Path(gettempdir()) / f"slipway-tests-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    remove_abandoned(folder)
    with EmbeddedPostgres(folder / run_id(), temporary=True) as server:
        yield DatabaseServer(make_url(server.url(OWNER, "postgres")))


@contextmanager
def worker_database(server: DatabaseServer) -> Iterator[str]:
    """The name of a migrated database for this process alone."""
    name = f"{server.template}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    asyncio.run(server.create_template())
    asyncio.run(server.create_database(name))
    try:
        yield name
    finally:
        asyncio.run(server.drop_database(name))
        if "PYTEST_XDIST_WORKER" not in os.environ:
            asyncio.run(server.drop_database(server.template))


def new_database_name(server: DatabaseServer) -> str:
    return f"{server.template}_{secrets.token_hex(4)}"


class RolledBackDatabase(Database):
    """A database whose transactions are savepoints within one transaction of the test, which is undone at its end.

    There is one connection: what runs at the same time, or must survive another's rollback, needs `fresh_database`.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.engine = connection.engine
        self._connection = connection
        self._problem = None
        self._sessions = async_sessionmaker(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """As in production it begins with no tenant named; afterwards the names of the surrounding session are back."""
        before = await self._take_names([""] * len(NAMES))
        try:
            async with super().transaction() as session:
                yield session
        finally:
            await self._take_names(before)

    def session(self) -> AsyncSession:
        return self._sessions()

    async def _take_names(self, names: list[str]) -> list[str]:
        """Name the tenant behind SQLAlchemy's back, so that no test counts this statement; returns the names before."""
        raw = await self._connection.get_raw_connection()
        found = await raw.driver_connection.fetchrow(TAKE_NAMES, *names)  # type: ignore[union-attr]
        return list(found)[: len(NAMES)]


@asynccontextmanager
async def rolled_back_database(engine: AsyncEngine) -> AsyncIterator[RolledBackDatabase]:
    async with engine.connect() as connection:
        transaction = await connection.begin()
        # asyncpg's transaction begins with SQLAlchemy's first statement, and only then.
        await connection.execute(text("SELECT 1"))
        yield RolledBackDatabase(connection)
        await transaction.rollback()


@contextmanager
def executed_statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """The SQL statements that are executed within the block; savepoints stand for BEGIN and COMMIT and do not count."""
    found: list[str] = []

    def note(connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(SAVEPOINTS):
            found.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
