"""The queue's tables, which our migration creates from a copy of PgQueuer's own DDL."""

from pgqueuer import Queries

from app.database import Database


async def test_the_installed_queue_finds_its_tables_as_it_wants_them(fresh_database: Database) -> None:
    async with fresh_database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        plan = await Queries.from_asyncpg_connection(raw.driver_connection).plan_upgrade()

    assert list(plan.statements) == [], "Write a migration with what `pgq upgrade --plan` prints."
