"""The migrations, walked up and down on a real database, and compared with the models."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import Database
from app.schema import Patience, SchemaError, downgrade, find_difference, pending_migrations, upgrade
from tests.databases import DatabaseServer

OBJECTS = text("""
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
""")
SOMEBODY_WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")


@pytest.fixture
async def owner(fresh_database: Database, server: DatabaseServer) -> AsyncIterator[AsyncEngine]:
    """The owner's connections to a migrated database."""
    owner = Database(server.owner_url(str(fresh_database.engine.url.database)))
    yield owner.engine
    await owner.close()


async def test_migrations_go_up_down_and_up_again(owner: AsyncEngine) -> None:
    await downgrade(owner, "base")
    async with owner.connect() as connection:
        left = set(await connection.scalars(OBJECTS))
        assert left == {"alembic_version", "alembic_version_pkc"}
        assert (await pending_migrations(connection))[0] == "0001"

    await upgrade(owner)
    async with owner.connect() as connection:
        assert await pending_migrations(connection) == []


async def test_the_migrations_make_what_the_models_say(owner: AsyncEngine) -> None:
    assert await find_difference(owner) is None


async def test_a_difference_between_models_and_migrations_is_found(owner: AsyncEngine) -> None:
    async with owner.begin() as connection:
        await connection.execute(text("ALTER TABLE users ADD COLUMN shoe_size integer"))

    assert "shoe_size" in str(await find_difference(owner))


async def test_an_unknown_revision_is_refused_in_a_sentence(owner: AsyncEngine) -> None:
    with pytest.raises(SchemaError, match="migrations/versions"):
        await upgrade(owner, "0099")


async def test_a_migration_that_meets_a_table_in_use_tries_again(owner: AsyncEngine) -> None:
    impatient = Patience(lock_seconds=0.02, pause_seconds=0.01, attempts=1000)
    async with owner.connect() as reader:
        await reader.execute(text("LOCK TABLE email_messages IN ACCESS SHARE MODE"))
        migrating = asyncio.create_task(downgrade(owner, "0001", impatient))
        while not migrating.done() and not await reader.scalar(SOMEBODY_WAITS):
            pass
        await reader.rollback()
        await migrating

    async with owner.connect() as connection:
        assert (await pending_migrations(connection))[0] == "0002"


async def test_a_migration_gives_up_on_a_table_that_stays_in_use(owner: AsyncEngine) -> None:
    async with owner.connect() as reader:
        await reader.execute(text("LOCK TABLE email_messages IN ACCESS SHARE MODE"))
        with pytest.raises(SchemaError, match="stayed in use through 2 attempts"):
            await downgrade(owner, "0001", Patience(lock_seconds=0.02, pause_seconds=0.01, attempts=2))


async def test_two_processes_do_not_migrate_at_once(owner: AsyncEngine) -> None:
    await downgrade(owner, "base")

    await asyncio.gather(upgrade(owner), upgrade(owner), upgrade(owner))

    async with owner.connect() as connection:
        assert await pending_migrations(connection) == []


async def test_a_failing_migration_says_what_failed(owner: AsyncEngine) -> None:
    await downgrade(owner, "0001")
    async with owner.begin() as connection:
        await connection.execute(text("CREATE TABLE rate_limits (key bytea)"))

    with pytest.raises(DBAPIError, match="rate_limits"):
        await upgrade(owner)
