"""The second wall between organizations, and the role that cannot pass it."""

from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.database import Database, name_organization, system_scope, user_named
from app.database_roles import find_unsafe_right, prepare_application_role, privileges_on
from app.ids import uuid7
from migrations.row_level_security import enable_row_level_security
from tests.databases import RolledBackDatabase

# The catalog's view of every table of ours that names an organization, and of the role that asks.
TENANT_TABLES = text("""
    SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced, c.relowner::regrole::text AS owner,
           EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) AS has_policy
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND (c.relname = 'organizations' OR EXISTS (
          SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'organization_id' AND NOT attisdropped))
""")
PROTECTED = text("INSERT INTO protected (organization_id, user_id) VALUES (:organization_id, :user_id)")
COUNT = text("SELECT count(*) FROM protected")

OURS, THEIRS, PERSON = uuid7(), uuid7(), uuid7()


@pytest.fixture
async def protected(fresh_database: Database, settings: Settings) -> Database:
    """A database with a table that is protected as the features' migrations do it, with a row of each of two organizations."""
    address = settings.database_owner_url.rpartition("/")[0] + f"/{fresh_database.engine.url.database}"
    owner = Database(address)
    async with owner.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE protected (organization_id uuid NOT NULL, user_id uuid)"))
        await connection.run_sync(
            lambda raw: enable_row_level_security(
                Operations(MigrationContext.configure(raw)), "protected", also_visible="user_id = current_user_id()"
            )
        )
    await prepare_application_role(owner.engine, fresh_database.engine.url.render_as_string(hide_password=False))
    await owner.close()
    async with fresh_database.transaction() as db, system_scope(db):
        for organization_id, user_id in ((OURS, PERSON), (THEIRS, None)):
            await db.execute(PROTECTED, {"organization_id": organization_id, "user_id": user_id})
    return fresh_database


async def count(db: AsyncSession) -> int:
    return int(await db.scalar(COUNT) or 0)


async def insert(db: AsyncSession, organization_id: UUID) -> None:
    await db.execute(PROTECTED, {"organization_id": organization_id, "user_id": None})


@pytest.mark.requirement("TEN-3")
async def test_with_no_organization_named_nothing_is_visible(protected: Database) -> None:
    async with protected.transaction() as db:
        assert await count(db) == 0


async def test_only_rows_of_the_named_organization_are_visible(protected: Database) -> None:
    async with protected.transaction() as db:
        await name_organization(db, OURS)
        assert await db.scalar(text("SELECT organization_id FROM protected")) == OURS
        assert await count(db) == 1


async def test_people_see_their_own_rows_and_cannot_write_them(protected: Database) -> None:
    async with protected.transaction() as db:
        await db.execute(select(user_named(PERSON)))
        assert await count(db) == 1
        changed = await db.execute(text("UPDATE protected SET user_id = NULL RETURNING 1"))
        assert changed.all() == []


async def test_writing_needs_the_name_of_the_same_organization(protected: Database) -> None:
    async with protected.transaction() as db:
        await name_organization(db, OURS)
        await insert(db, OURS)
        with pytest.raises(DBAPIError, match="row-level security"):
            await insert(db, THEIRS)
    async with protected.transaction() as db:
        with pytest.raises(DBAPIError, match="row-level security"):
            await insert(db, OURS)


@pytest.mark.requirement("TEN-4")
async def test_rows_cannot_be_moved_to_another_organization(protected: Database) -> None:
    async with protected.transaction() as db:
        await name_organization(db, OURS)
        with pytest.raises(DBAPIError, match="row-level security"):
            await db.execute(text("UPDATE protected SET organization_id = :theirs"), {"theirs": THEIRS})


async def test_rows_of_others_cannot_be_deleted(protected: Database) -> None:
    async with protected.transaction() as db:
        await name_organization(db, OURS)
        await db.execute(text("DELETE FROM protected"))
    async with protected.transaction() as db, system_scope(db):
        assert await count(db) == 1


@pytest.mark.requirement("TEN-1")
async def test_the_owner_is_bound_as_well(protected: Database, settings: Settings) -> None:
    address = settings.database_owner_url.rpartition("/")[0] + f"/{protected.engine.url.database}"
    owner = Database(address)
    async with owner.transaction() as db:
        visible = await count(db)
    await owner.close()

    assert visible == 0


async def test_the_system_scope_sees_everything(protected: Database) -> None:
    async with protected.transaction() as db:
        async with system_scope(db):
            assert await count(db) == 2
        assert await count(db) == 0


@pytest.mark.requirement("TEN-1")
async def test_every_table_with_an_organization_is_protected_from_a_role_that_cannot_pass(db: AsyncSession) -> None:
    tables = (await db.execute(TENANT_TABLES)).mappings().all()
    role = str(await db.scalar(text("SELECT current_user")))

    assert {"organizations", "memberships", "audit_events"} <= {table["name"] for table in tables}
    assert [dict(table) for table in tables if not (table["enabled"] and table["forced"] and table["has_policy"])] == []
    assert [table["name"] for table in tables if table["owner"] == role] == []


@pytest.mark.requirement("TEN-1", "CON-2", "SQL-1")
async def test_the_application_role_is_bound_and_has_no_ddl(db: AsyncSession) -> None:
    assert await find_unsafe_right(await db.connection()) is None
    rights = await db.execute(
        text(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,"
            " has_schema_privilege(current_user, 'public', 'CREATE'),"
            " has_database_privilege(current_user, current_database(), 'TEMPORARY'),"
            " has_database_privilege(current_user, current_database(), 'CREATE')"
            " FROM pg_roles WHERE rolname = current_user"
        )
    )
    assert set(rights.one()) == {False}
    for statement in ("CREATE TABLE t (x int)", "DROP TABLE alembic_version", "CREATE TEMPORARY TABLE t (x int)"):
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            async with db.begin_nested():
                await db.execute(text(statement))


async def test_the_application_may_only_read_which_migrations_are_applied(db: AsyncSession) -> None:
    assert privileges_on("alembic_version") == ("SELECT",)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with db.begin_nested():
            await db.execute(text("DELETE FROM alembic_version"))


async def test_a_request_cannot_see_what_another_named(database: RolledBackDatabase) -> None:
    async with database.transaction() as first:
        await first.execute(select(user_named(PERSON)))
    async with database.transaction() as second:
        assert await second.scalar(text("SELECT current_user_id()")) is None
