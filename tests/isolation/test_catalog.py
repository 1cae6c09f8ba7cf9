"""What the database itself promises of every organization's tables, read from its catalog."""
# ruff: noqa: S608 - these statements are put together of our own words.

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Base
from app.features import import_models
from tests.isolation.world import World

# Tables whose rows belong to an organization; those of the platform around it only name one.
TENANT_TABLES = """
    SELECT c.oid, c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND a.attname = 'organization_id' AND a.attnotnull AND NOT a.attisdropped
"""
SINGLE_REFERENCES = f"""
    WITH tenant AS ({TENANT_TABLES})
    SELECT con.conname FROM pg_constraint con
    JOIN tenant f ON f.oid = con.conrelid JOIN tenant t ON t.oid = con.confrelid
    WHERE con.contype = 'f' AND NOT EXISTS (
        SELECT FROM unnest(con.conkey) AS k JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k
        WHERE a.attname = 'organization_id')
"""
UNIQUE_BEYOND_THE_TENANT = f"""
    WITH tenant AS ({TENANT_TABLES})
    SELECT i.indexrelid::regclass::text FROM pg_index i JOIN tenant t ON t.oid = i.indrelid
    WHERE i.indisunique AND NOT EXISTS (
        SELECT FROM unnest(i.indkey::int[]) AS k JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k
        WHERE a.attname = 'organization_id'
           OR (a.atttypid = 'uuid'::regtype AND a.attname = 'id'))
"""
# What has to be unique everywhere: it stands alone in an address, or is random and long, so that nobody could ask for it.
UNIQUE_EVERYWHERE = {"pk_slug_history"}
RANDOM = ("_token_hash", "_code_hash", "_storage_key")
# Rows that are numbered on purpose, because their order is what they are about. The number is not an address of anything.
COUNTED = {"realtime_events.id"}

NUMBERED = """
    SELECT c.relname || '.' || a.attname FROM pg_class c
    JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE c.relnamespace = 'public'::regnamespace AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
"""


@pytest.fixture
def connection(world: World) -> AsyncConnection:
    return world.connection


async def names(connection: AsyncConnection, statement: str) -> set[str]:
    return {str(name) for name in await connection.scalars(text(statement))}


@pytest.mark.requirement("TEN-4")
async def test_a_reference_between_tables_of_organizations_carries_the_organization(
    connection: AsyncConnection,
) -> None:
    assert await names(connection, SINGLE_REFERENCES) == set()


@pytest.mark.requirement("TEN-5")
async def test_what_is_unique_is_unique_within_an_organization(connection: AsyncConnection) -> None:
    found = await names(connection, UNIQUE_BEYOND_THE_TENANT)

    assert {name for name in found if not name.endswith(RANDOM)} == UNIQUE_EVERYWHERE


@pytest.mark.requirement("TEN-5")
async def test_no_id_of_ours_can_be_counted_on(connection: AsyncConnection) -> None:
    import_models()
    ours = {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.primary_key}

    assert await names(connection, NUMBERED) & ours <= COUNTED


async def test_every_tenant_table_is_found(connection: AsyncConnection) -> None:
    tables = await names(connection, f"SELECT relname FROM ({TENANT_TABLES}) AS tenant")

    assert {"memberships", "roles", "invitations"} <= tables
