"""Roles of an organization's own: made, given, changed and taken back, never above those of whoever does it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import system_scope
from app.organizations.models import CustomRole, Membership, Organization
from app.policy import ENTRY, Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, templates_sent
from tests.app.organizations.teams import add_member, add_team, events_of, give_role, membership_of, submit, text_of

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
async def acme(client: AsyncTestClient, db: AsyncSession) -> Organization:
    """A team of Ada's, who is logged in."""
    acme = await add_team(db, await add_person(db))
    await log_in(client)
    return acme


async def make_role(client: AsyncTestClient, name: str, *permissions: str) -> int:
    data = {"name": name, "permissions": list(permissions), "csrf_token": await csrf_token(client)}
    return (await client.post("/o/acme/roles/new", data=data)).status_code


async def role_named(db: AsyncSession, key: str) -> CustomRole:
    async with system_scope(db):
        statement = select(CustomRole).where(CustomRole.key == key).execution_options(populate_existing=True)
        return (await db.scalars(statement)).one()


async def test_everybody_reads_what_each_role_allows_and_only_some_change_it(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    acme = await add_team(db, await add_person(db))
    await add_member(db, acme, "Grace Hopper")
    await log_in(client, "grace@example.com")
    with statements() as executed:
        page = await client.get("/o/acme/roles")

    assert page.status_code == 200
    assert "Change members' roles, suspend and remove them." in page.text.replace("&#39;", "'")
    assert "New role" not in page.text
    assert len(executed) <= 5, "\n".join(executed)
    assert (await client.get("/o/acme/roles/new")).status_code == 403


@pytest.mark.requirement("ROL-1")
async def test_a_role_allows_what_was_chosen_and_nothing_else(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    grace = await add_member(db, acme, "Grace Hopper")
    assert await make_role(client, "Auditor", "audit.view") == 303
    answer = await submit(client, f"/o/acme/members/{grace.id}/role", role="auditor")

    assert answer.status_code == 303
    membership = await membership_of(db, acme, grace)
    assert membership is not None
    assert membership.permissions == {ENTRY, "audit.view"}
    assert ("organizations/role_changed", "grace@example.com") in await templates_sent(db)
    [event] = await events_of(db, acme, "roles.created")
    assert event.changes == {"name": [None, "Auditor"], "permissions": [None, ["audit.view", ENTRY]]}
    [event] = await events_of(db, acme, "members.role_changed")
    assert event.changes == {"role": ["member", "auditor"]}

    client.cookies.clear()
    await log_in(client, "grace@example.com")
    assert (await client.get("/o/acme/audit")).status_code == 200
    assert (await client.get("/o/acme/members")).status_code == 403
    page = await client.get("/o/acme")
    assert "/o/acme/audit" in page.text
    assert "/o/acme/members" not in page.text


@pytest.mark.requirement("ROL-1")
async def test_a_change_of_a_role_counts_at_once(client: AsyncTestClient, db: AsyncSession, acme: Organization) -> None:
    grace = await add_member(db, acme, "Grace Hopper")
    await make_role(client, "Auditor", "audit.view")
    await give_role(db, grace, await role_named(db, "auditor"))
    data = {"name": "Reader", "permissions": ["members.view"], "csrf_token": await csrf_token(client)}
    assert (await client.post("/o/acme/roles/auditor", data=data)).status_code == 303

    client.cookies.clear()
    await log_in(client, "grace@example.com")
    assert (await client.get("/o/acme/audit")).status_code == 403
    page = await client.get("/o/acme/members")
    assert page.status_code == 200
    assert "Reader" in text_of(page)


@pytest.mark.requirement("ROL-1")
async def test_nobody_makes_or_gives_a_role_that_allows_more_than_they_may(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    grace = await add_member(db, acme, "Grace Hopper", Role.ADMIN)
    mary = await add_member(db, acme, "Mary Somerville")
    await make_role(client, "Guard", "security.update")
    client.cookies.clear()
    await log_in(client, "grace@example.com")

    assert await make_role(client, "Mine", "security.update") == 422
    assert (await submit(client, "/o/acme/roles/guard", name="Guard", permissions="audit.view")).status_code == 422
    assert (await submit(client, "/o/acme/roles/guard/delete", role="member")).status_code == 422
    for person in (mary, grace):
        await submit(client, f"/o/acme/members/{person.id}/role", role="guard")
        membership = await membership_of(db, acme, person)
        assert membership is not None
        assert membership.custom_role_id is None
    assert await events_of(db, acme, "members.role_changed") == []


@pytest.mark.parametrize("permission", ["organization.delete", "organization.transfer", "nothing.such"])
async def test_a_role_cannot_give_the_organization_away_or_allow_what_does_not_exist(
    client: AsyncTestClient, acme: Organization, permission: str
) -> None:
    assert await make_role(client, "Mine", permission) == 422


async def test_two_roles_of_one_organization_have_different_names(client: AsyncTestClient, acme: Organization) -> None:
    assert [await make_role(client, name) for name in ("Auditor", "auditor", "Owner")] == [303, 422, 303]


async def test_a_role_that_somebody_has_goes_only_for_another_one(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    grace = await add_member(db, acme, "Grace Hopper")
    await make_role(client, "Auditor", "audit.view")
    await give_role(db, grace, await role_named(db, "auditor"))
    page = await client.get("/o/acme/roles/auditor/delete")
    assert "One member has this role." in page.text

    refused = await submit(client, "/o/acme/roles/auditor/delete", role="auditor")
    assert refused.status_code == 422
    assert "Choose the one that they get instead." in refused.text
    assert (await submit(client, "/o/acme/roles/auditor/delete", role="admin")).status_code == 303
    membership = await membership_of(db, acme, grace)
    assert membership is not None
    assert (membership.role, membership.custom_role_id) == (Role.ADMIN, None)
    assert (await client.get("/o/acme/roles/auditor")).status_code == 404


async def test_the_database_keeps_a_role_that_somebody_has(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    grace = await add_member(db, acme, "Grace Hopper")
    await make_role(client, "Auditor")
    role = await role_named(db, "auditor")
    await give_role(db, grace, role)
    with pytest.raises(IntegrityError, match="fk_memberships_organization_id_custom_role_id_roles"):
        async with db.begin_nested(), system_scope(db):
            await db.execute(delete(CustomRole).where(CustomRole.id == role.id))


@pytest.mark.requirement("TEN-4")
async def test_a_role_of_another_organization_cannot_be_had(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    mary = await add_person(db, "Mary Somerville", "mary@example.com")
    await add_team(db, mary, name="Other", slug="other")
    await make_role(client, "Auditor")
    role = await role_named(db, "auditor")
    statement = update(Membership).where(Membership.user_id == mary.id).values(role="member", custom_role_id=role.id)
    with pytest.raises(IntegrityError, match="fk_memberships_organization_id_custom_role_id_roles"):
        async with db.begin_nested(), system_scope(db):
            await db.execute(statement)


async def test_programs_read_the_roles(client: AsyncTestClient, acme: Organization) -> None:
    await make_role(client, "Auditor", "audit.view")
    roles = (await client.get("/api/v1/organizations/acme/roles")).json()["items"]

    assert [role["key"] for role in roles] == ["owner", "admin", "member", "auditor"]
    assert roles[3] == {"key": "auditor", "name": "Auditor", "is_built_in": False, "permissions": ["audit.view", ENTRY]}
