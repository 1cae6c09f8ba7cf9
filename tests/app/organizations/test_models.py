"""What the database itself refuses: organizations without owners, other tenants' rows, taken slugs."""

from uuid import UUID

import pytest
from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.database import Base, Database, Tenant, name_organization, system_scope, user_named
from app.ids import uuid7
from app.organizations.models import FormerSlug, Membership, MembershipStatus, Organization
from app.policy import Role
from tests.app.accounts.people import add_person, organization_of

CHECK_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")


async def add_owner(db: AsyncSession, organization: Organization, user: User) -> None:
    async with system_scope(db):
        db.add(Membership(organization_id=organization.id, user_id=user.id, role=Role.OWNER))


def membership_of(user: User, organization: Organization) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (Membership.user_id == user.id, Membership.organization_id == organization.id)


@pytest.mark.parametrize("values", [{"role": Role.MEMBER}, {"status": MembershipStatus.SUSPENDED}, None])
@pytest.mark.requirement("ROL-1")
async def test_the_last_owner_stays(db: AsyncSession, values: dict[str, str] | None) -> None:
    ada = await add_person(db)
    organization = await organization_of(db, ada)
    await name_organization(db, organization.id)
    mine = membership_of(ada, organization)
    await db.execute(update(Membership).where(*mine).values(values) if values else delete(Membership).where(*mine))

    with pytest.raises(IntegrityError, match="organization_needs_owner"):
        await db.execute(CHECK_NOW)


async def test_an_owner_may_go_when_another_one_comes_in_the_same_transaction(db: AsyncSession) -> None:
    ada = await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    organization = await organization_of(db, ada)
    await name_organization(db, organization.id)
    await db.execute(delete(Membership).where(*membership_of(ada, organization)))
    await add_owner(db, organization, grace)

    await db.execute(CHECK_NOW)


async def test_deleting_the_person_who_is_the_last_owner_is_refused(db: AsyncSession) -> None:
    """No tenant is named here: the check looks past row-level security."""
    ada = await add_person(db)
    await db.execute(text("SELECT set_config('app.organization_id', '', true)"))
    await db.execute(delete(User).where(User.id == ada.id))

    with pytest.raises(IntegrityError, match="organization_needs_owner"):
        await db.execute(CHECK_NOW)


async def test_an_organization_is_deleted_with_everything_in_it(db: AsyncSession) -> None:
    ada = await add_person(db)
    async with system_scope(db):
        await db.delete(await organization_of(db, ada))
        await db.flush()
        await db.execute(CHECK_NOW)
        assert await db.scalar(select(func.count()).select_from(Membership)) == 0


@pytest.mark.requirement("ROL-1")
async def test_of_two_owners_who_leave_at_once_one_has_to_stay(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        ada = await add_person(db)
        grace = await add_person(db, "Grace Hopper", "grace@example.com")
        organization = await organization_of(db, ada)
        await add_owner(db, organization, grace)

    async with fresh_database.transaction() as first:
        await leave(first, organization, ada)
        # The second one must wait for the first: neither would see that the other goes.
        async with fresh_database.engine.connect() as impatient:
            await impatient.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await leave(AsyncSession(impatient), organization, grace)
    with pytest.raises(IntegrityError, match="organization_needs_owner"):
        async with fresh_database.transaction() as second:
            await leave(second, organization, grace)


async def leave(db: AsyncSession, organization: Organization, user: User) -> None:
    await name_organization(db, organization.id)
    statement = delete(Membership).where(*membership_of(user, organization))
    await db.execute(statement.execution_options(unrecorded="This is about what the database refuses."))
    await db.execute(CHECK_NOW)


async def test_with_nothing_named_there_is_nothing_to_see_and_nothing_to_write(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        ada = await add_person(db)
    async with fresh_database.transaction() as db:
        for table in (Organization, Membership, FormerSlug):
            assert await db.scalar(select(func.count()).select_from(table)) == 0
        with pytest.raises(DBAPIError, match="row-level security"):
            async with db.begin_nested():
                db.add(Organization(id=uuid7(), slug="planted", name="Planted", kind="team", created_by=ada.id))


async def test_a_person_sees_their_own_memberships_and_changes_none(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        ada = await add_person(db)
        await add_person(db, "Grace Hopper", "grace@example.com")
    async with fresh_database.transaction() as db:
        await db.execute(select(user_named(ada.id)))
        assert (await db.scalars(select(Organization.slug))).all() == ["ada-lovelace"]
        assert (await db.scalars(select(Membership.user_id))).all() == [ada.id]
        changed = await db.execute(update(Membership).values(role=Role.ADMIN).returning(Membership.user_id))
        assert changed.all() == []
        assert (await db.execute(update(Organization).values(name="Mine").returning(Organization.id))).all() == []


async def test_a_named_organization_does_not_open_others(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        ada = await add_person(db)
        grace = await add_person(db, "Grace Hopper", "grace@example.com")
    async with fresh_database.transaction() as db:
        await name_organization(db, _id(ada))
        assert (await db.scalars(select(Membership.user_id))).all() == [ada.id]
        with pytest.raises(DBAPIError, match="row-level security"):
            async with db.begin_nested():
                db.add(Membership(organization_id=_id(grace), user_id=ada.id, role=Role.OWNER))


def _id(user: User) -> UUID:
    assert user.current_organization_id is not None
    return user.current_organization_id


@pytest.mark.requirement("TEN-1")
async def test_every_tenant_table_is_behind_both_walls(db: AsyncSession) -> None:
    protected = {table.name for table in Base.metadata.tables.values() if "organization_id" in table.columns}
    protected |= {"organizations"}
    rows = await db.execute(
        text(
            "SELECT relname, relrowsecurity AND relforcerowsecurity AND EXISTS"
            " (SELECT FROM pg_policies WHERE tablename = relname), pg_get_userbyid(relowner) = current_user"
            " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(:names)"
        ),
        {"names": sorted(protected)},
    )
    assert {(name, is_walled, is_owner) for name, is_walled, is_owner in rows} == {
        (name, True, False) for name in protected
    }
    assert issubclass(Membership, Tenant)


async def test_a_former_slug_cannot_be_taken_by_another_organization(db: AsyncSession) -> None:
    ada = await add_person(db)
    async with system_scope(db):
        db.add(FormerSlug(slug="countess", organization_id=_id(ada)))
    async with system_scope(db):
        with pytest.raises(IntegrityError, match="slug_is_taken"):
            async with db.begin_nested():
                db.add(Organization(id=uuid7(), slug="countess", name="Another", kind="team"))
        await db.execute(update(Organization).where(Organization.id == _id(ada)).values(slug="countess"))


@pytest.mark.parametrize("slug", ["", "Ada", "-ada", "ada-", "a--b", "a b", "a/b", "ä", "a" * 41, "ada\n"])
async def test_the_database_refuses_what_is_no_slug(db: AsyncSession, slug: str) -> None:
    async with system_scope(db):
        with pytest.raises(IntegrityError, match="ck_organizations_slug"):
            async with db.begin_nested():
                db.add(Organization(id=uuid7(), slug=slug, name="Any", kind="team"))


async def test_a_person_has_one_personal_organization(db: AsyncSession) -> None:
    ada = await add_person(db)
    async with system_scope(db):
        with pytest.raises(IntegrityError, match="uq_organizations_personal"):
            async with db.begin_nested():
                db.add(Organization(id=uuid7(), slug="second", name="Any", kind="personal", created_by=ada.id))
