"""Transactions, the pool, and what a database problem is called."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.database import (
    REQUESTS,
    SILENCE_SECONDS,
    WORK,
    Database,
    name_organization,
    organization_named,
    system_scope,
    user_named,
)
from app.reads import Read
from app.schema import pending_migrations
from tests.databases import RolledBackDatabase

Statements = Callable[[], AbstractContextManager[list[str]]]

KEY = text("INSERT INTO rate_limits (key, hits, expires_at) VALUES (:key, 1, now())")
NOW = select(func.now())
OPEN_TRANSACTIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
)
COUNT = text("SELECT count(*) FROM rate_limits WHERE key = :key")


async def count(database: Database, key: bytes) -> int:
    async with database.transaction() as db:
        return int(await db.scalar(COUNT, {"key": key}) or 0)


async def setting(db: AsyncSession, name: str) -> str | None:
    return await db.scalar(select(func.current_setting(f"app.{name}", True)))


async def test_a_transaction_is_committed_at_the_end_of_its_block(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        await db.execute(KEY, {"key": b"kept"})

    assert await count(fresh_database, b"kept") == 1


async def test_a_transaction_is_undone_when_its_block_raises(fresh_database: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 (the block is what is tested)
        async with fresh_database.transaction() as db:
            await db.execute(KEY, {"key": b"lost"})
            raise ZeroDivisionError

    assert await count(fresh_database, b"lost") == 0


async def test_a_cancelled_transaction_is_undone_and_gives_its_connection_back(fresh_database: Database) -> None:
    inside = asyncio.Event()

    async def wait_inside() -> None:
        async with fresh_database.transaction() as db:
            await db.execute(KEY, {"key": b"cancelled"})
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait_inside())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await count(fresh_database, b"cancelled") == 0
    assert fresh_database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize(
    "read", [lambda db: Read(NOW).first(db), lambda db: db.execute(NOW)], ids=["a compiled read", "the ORM"]
)
async def test_whoever_is_cancelled_anywhere_in_a_statement_takes_nothing_from_the_next(
    fresh_database: Database, read: Callable[[AsyncSession], Awaitable[object]], steps: int
) -> None:
    """At some step BEGIN is on its way: asyncpg counts it, SQLAlchemy does not yet, and the next COMMIT would be none."""
    async with fresh_database.transaction() as db:
        await db.execute(select(1))  # A connection waits in the pool.

    async def read_and_be_cancelled() -> None:
        async with fresh_database.transaction() as db:
            await read(db)

    task = asyncio.create_task(read_and_be_cancelled())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with fresh_database.transaction() as db:
        await db.execute(KEY, {"key": b"next"})

    async with fresh_database.transaction() as other, fresh_database.transaction() as another:
        seen = [await each.scalar(COUNT, {"key": b"next"}) for each in (other, another)]
    assert seen == [1, 1]
    async with fresh_database.engine.connect() as connection:
        assert await connection.scalar(OPEN_TRANSACTIONS) == 0


async def test_connections_beyond_the_pool_are_closed_after_a_read(fresh_database: Database) -> None:
    read, together = Read(NOW), asyncio.Barrier(12)

    async def read_with_the_others() -> None:
        async with fresh_database.transaction() as db:
            await read.first(db)
            await together.wait()

    await asyncio.gather(*(read_with_the_others() for _ in range(12)))

    assert fresh_database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert fresh_database.engine.pool.checkedin() == 10  # type: ignore[attr-defined]


async def test_a_transaction_without_statements_takes_no_connection(fresh_database: Database) -> None:
    async with fresh_database.transaction():
        assert fresh_database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_connections_that_the_server_closed_are_replaced_unnoticed(
    fresh_database: Database, settings: Settings
) -> None:
    async with fresh_database.transaction() as db:
        process = await db.scalar(text("SELECT pg_backend_pid()"))
    async with fresh_database.transaction() as db, fresh_database.transaction() as other:
        assert await db.scalar(text("SELECT pg_backend_pid()")) == process
        await other.execute(text("SELECT 1"))
    async with fresh_database.engine.connect() as connection:
        own = await connection.scalar(text("SELECT pg_backend_pid()"))
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> :own"
            ),
            {"own": own},
        )

    async with fresh_database.transaction() as db, fresh_database.transaction() as other:
        assert await db.scalar(text("SELECT 1")) == 1
        assert await other.scalar(text("SELECT 1")) == 1


async def test_a_statement_that_takes_too_long_is_cancelled(settings: Settings) -> None:
    database = Database(settings.database_url, patience=replace(WORK, statement=0.05))
    try:
        with pytest.raises(DBAPIError, match="statement timeout"):
            async with database.transaction() as db:
                await db.execute(text("SELECT pg_sleep(5)"))
    finally:
        await database.close()


async def test_a_migrated_database_is_ready(pool: Database) -> None:
    assert await pool.is_ready()


async def test_an_unreachable_database_is_not_ready(settings: Settings) -> None:
    database = Database("postgresql+asyncpg://nobody:none@127.0.0.1:1/none")

    assert await database.find_problem() == "The database cannot be reached."
    await database.close()


async def test_a_database_that_lacks_a_migration_is_not_ready(fresh_database: Database, settings: Settings) -> None:
    owner = Database(settings.database_owner_url.rpartition("/")[0] + f"/{fresh_database.engine.url.database}")
    async with owner.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    await owner.close()

    assert "0002" in str(await fresh_database.find_problem())


async def test_a_database_that_is_ahead_of_the_code_is_ready(fresh_database: Database, settings: Settings) -> None:
    owner = Database(settings.database_owner_url.rpartition("/")[0] + f"/{fresh_database.engine.url.database}")
    async with owner.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await owner.close()

    async with fresh_database.engine.connect() as connection:
        assert await pending_migrations(connection) == []


async def test_names_end_with_their_transaction(fresh_database: Database) -> None:
    organization_id, user_id = uuid4(), uuid4()
    async with fresh_database.transaction() as db:
        await db.execute(select(organization_named(organization_id), user_named(user_id)))
        assert await setting(db, "organization_id") == str(organization_id)
        assert await setting(db, "user_id") == str(user_id)

    async with fresh_database.transaction() as db:
        assert not await setting(db, "organization_id")
        assert not await setting(db, "user_id")


async def test_the_system_scope_ends_with_its_block(db: AsyncSession) -> None:
    async with system_scope(db):
        async with system_scope(db):
            assert await setting(db, "system") == "on"
        assert await setting(db, "system") == "on"

    assert await setting(db, "system") == ""


async def test_the_system_scope_ends_when_a_refusal_leaves_it(db: AsyncSession) -> None:
    with pytest.raises(ZeroDivisionError):
        async with system_scope(db):
            raise ZeroDivisionError

    assert await setting(db, "system") == ""


async def test_the_system_scope_lets_a_failed_statement_speak(fresh_database: Database) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        async with fresh_database.transaction() as db, system_scope(db):
            await db.execute(text("SELECT 1 / 0"))


async def test_the_statements_of_a_block_are_listed(database: RolledBackDatabase, statements: Statements) -> None:
    with statements() as executed:
        async with database.transaction() as db:
            await name_organization(db, uuid4())

    assert len(executed) == 1
    assert executed[0].startswith("SELECT set_config")


async def test_a_request_begins_with_no_name_although_the_test_has_one(
    database: RolledBackDatabase, db: AsyncSession
) -> None:
    organization_id = uuid4()
    await name_organization(db, organization_id)

    async with database.transaction() as request:
        assert not await setting(request, "organization_id")
        await name_organization(request, uuid4())

    assert await setting(db, "organization_id") == str(organization_id)


@pytest.mark.parametrize("attempt", [1, 2])
async def test_what_a_test_writes_is_gone_in_the_next(database: RolledBackDatabase, attempt: int) -> None:
    assert await count(database, b"written") == 0
    async with database.transaction() as db:
        await db.execute(KEY, {"key": b"written"})
    assert await count(database, b"written") == 1


@pytest.mark.requirement("REL-3")
def test_rel_3_what_a_request_may_wait_for_adds_up_to_two_seconds() -> None:
    assert REQUESTS.pool + max(REQUESTS.connect, REQUESTS.statement + SILENCE_SECONDS) <= 2


def test_waiting_always_has_an_end(settings: Settings) -> None:
    database = Database(settings.database_url)

    assert database.engine.pool.timeout() == WORK.pool  # type: ignore[attr-defined]
