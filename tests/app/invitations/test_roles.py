"""The roles that invitations, links and domains give, built-in ones and the organization's own, until somebody comes in."""

import re

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import system_scope
from app.invitations.models import Invitation, JoinDomain, JoinLink
from app.organizations.models import CustomRole, Organization
from app.policy import ENTRY, Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, mailed_link, newest_message
from tests.app.organizations.teams import (
    add_member,
    add_role,
    add_team,
    events_of,
    give_role,
    membership_of,
    submit,
    text_of,
)

BELOW = "/o/acme/invitations"


@pytest.fixture
async def acme(client: AsyncTestClient, db: AsyncSession) -> Organization:
    """A team of Ada's, who is logged in, with a role of its own."""
    acme = await add_team(db, await add_person(db))
    await add_role(db, acme, "Auditor", "audit.view")
    await log_in(client)
    return acme


async def become(client: AsyncTestClient, address: str) -> None:
    client.cookies.clear()
    await log_in(client, address)


async def open_door(client: AsyncTestClient, door: str, *, role: str = "auditor") -> str:
    """Let grace@example.com in by a door; returns where her button leads."""
    if door == "invitation":
        await submit(client, f"{BELOW}/new", emails="grace@example.com", role=role)
    elif door == "domain":
        await submit(client, f"{BELOW}/domains/new", domain="example.com", role=role)
    else:
        page = await submit(client, f"{BELOW}/links/new", role=role, days="7")
        found = re.search(r"https://slipway\.test(/join/[\w-]+)", page.text)
        assert found is not None, page.text
        return found[1]
    return ""


async def come_in(client: AsyncTestClient, db: AsyncSession, acme: Organization, door: str, path: str) -> str:
    """Have Grace, who is logged in, look at the page with the button and press it; returns what the page said."""
    path = (await mailed_link(db, "grace@example.com")).rstrip("?") if door == "invitation" else path
    page = await client.get(path or "/organizations")
    action = f"{path}/accept" if door == "invitation" else path or f"/organizations/{acme.id}/join"
    assert (await submit(client, action)).headers["location"] == "/o/acme"
    return text_of(page)


@pytest.mark.requirement("ROL-1")
@pytest.mark.parametrize("door", ["invitation", "link", "domain"])
async def test_a_door_gives_the_role_of_the_organizations_own_that_it_names(
    client: AsyncTestClient, db: AsyncSession, acme: Organization, door: str
) -> None:
    path = await open_door(client, door)
    listed = await client.get(BELOW)
    assert text_of(listed).count("Auditor") == 1
    if door == "invitation":
        assert "Auditor" in (await newest_message(db, "grace@example.com")).text
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await become(client, "grace@example.com")

    said = await come_in(client, db, acme, door, path)
    assert ("as: Auditor" in said) is (door != "domain"), "who only finds an organization learns its name alone"
    member = await membership_of(db, acme, grace)
    assert member is not None
    assert member.permissions == {ENTRY, "audit.view"}
    (event,) = await events_of(db, acme, "members.joined")
    assert event.changes == {"role": [None, "auditor"], "door": [None, door]}


@pytest.mark.parametrize("door", ["invitation", "link", "domain"])
async def test_whoever_deletes_a_role_says_what_those_get_who_were_promised_it(
    client: AsyncTestClient, db: AsyncSession, acme: Organization, door: str
) -> None:
    path = await open_door(client, door)
    await add_role(db, acme, "Reader", "members.view")
    page = await client.get("/o/acme/roles/auditor/delete")
    assert "One invitation, link or domain lets people in with this role." in page.text
    assert "Nobody has this role." not in page.text

    for successor in ("", "auditor"):
        refused = await submit(client, "/o/acme/roles/auditor/delete", role=successor)
        assert refused.status_code == 422
        assert "Choose the one that they get instead." in refused.text
    assert (await submit(client, "/o/acme/roles/auditor/delete", role="reader")).status_code == 303

    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await become(client, "grace@example.com")
    await come_in(client, db, acme, door, path)
    member = await membership_of(db, acme, grace)
    assert member is not None
    assert member.permissions == {ENTRY, "members.view"}


async def test_what_lets_nobody_in_any_more_keeps_no_role(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    await open_door(client, "invitation")
    await open_door(client, "link")
    async with system_scope(db):
        invitation, link = (await db.scalars(select(Invitation))).one(), (await db.scalars(select(JoinLink))).one()
    await submit(client, f"{BELOW}/{invitation.id}/revoke")
    await submit(client, f"{BELOW}/links/{link.id}/revoke")

    assert "Nobody has this role." in (await client.get("/o/acme/roles/auditor/delete")).text
    assert (await submit(client, "/o/acme/roles/auditor/delete")).status_code == 303


@pytest.mark.requirement("ROL-1", "INV-1")
@pytest.mark.parametrize("door", ["invitation", "link", "domain"])
async def test_nobody_opens_a_door_to_a_role_that_allows_more_than_they_may(
    client: AsyncTestClient, db: AsyncSession, acme: Organization, door: str
) -> None:
    inviter = await add_role(db, acme, "Inviter", "invitations.create", "invitations.view")
    await give_role(db, await add_member(db, acme, "Mary Somerville"), inviter)
    await become(client, "mary@example.com")
    fields = {
        "invitation": (f"{BELOW}/new", {"emails": "grace@example.com"}),
        "link": (f"{BELOW}/links/new", {"days": "7"}),
        "domain": (f"{BELOW}/domains/new", {"domain": "example.com"}),
    }
    path, values = fields[door]
    for role in ("owner", "member", "auditor"):
        refused = await submit(client, path, **values, role=role)
        assert refused.status_code == 422
        assert "above your own" in refused.text
    unknown = await submit(client, path, **values, role="nobody")
    assert "field-role-error" in unknown.text
    async with system_scope(db):
        for table in (Invitation, JoinLink, JoinDomain):
            assert (await db.scalars(select(table))).all() == []
    offered = re.findall(r'<option value="([a-z]+)"', (await client.get(path)).text)
    assert offered == ["inviter"]


async def test_a_link_lets_nobody_in_with_more_than_its_maker_may_by_now(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    mary = await add_member(db, acme, "Mary Somerville", Role.ADMIN)
    await become(client, "mary@example.com")
    path = await open_door(client, "link")
    await give_role(db, mary, await add_role(db, acme, "Inviter", "invitations.create"))
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await become(client, "grace@example.com")

    assert (await submit(client, path)).status_code == 410
    assert await membership_of(db, acme, grace) is None


async def test_who_lets_somebody_in_sees_as_what_and_gives_no_more_than_they_have(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    await submit(client, f"{BELOW}/domains/new", domain="example.com", role="auditor", asks="true")
    inviter = await add_role(db, acme, "Inviter", "invitations.create", "invitations.view")
    await give_role(db, await add_member(db, acme, "Mary Somerville"), inviter)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await become(client, "grace@example.com")
    await submit(client, f"/organizations/{acme.id}/join")

    await become(client, "mary@example.com")
    await submit(client, f"{BELOW}/requests/{grace.id}/grant")
    refused = text_of(await client.get(BELOW))
    assert "above your own" in refused
    assert "Grace Hopper grace@example.com Auditor" in refused
    await become(client, "ada@example.com")
    await submit(client, f"{BELOW}/requests/{grace.id}/grant")
    member = await membership_of(db, acme, grace)
    assert member is not None
    assert member.permissions == {ENTRY, "audit.view"}


async def test_programs_invite_to_a_role_of_the_organizations_own(client: AsyncTestClient, acme: Organization) -> None:
    path, headers = "/api/v1/organizations/acme/invitations", {"x-csrf-token": await csrf_token(client)}
    body = {"emails": ["grace@example.com"], "role": "auditor"}
    made = (await client.post(path, json=body, headers=headers)).json()["items"]
    assert made[0]["invitation"]["role"] == "auditor"
    assert (await client.get(path)).json()["items"][0]["role"] == "auditor"
    query = '{organization(slug: "acme") {invitations {role}}}'
    answer = await client.post("/graphql", json={"query": query}, headers=headers)
    assert answer.json() == {"data": {"organization": {"invitations": [{"role": "auditor"}]}}}
    unknown = await client.post(path, json={**body, "role": "nobody"}, headers=headers)
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["pointer"] == "#/role"


async def test_programs_open_and_close_links_and_domains(client: AsyncTestClient, acme: Organization) -> None:
    below, headers = "/api/v1/organizations/acme", {"x-csrf-token": await csrf_token(client)}
    link = await client.post(f"{below}/join-links", json={"role": "auditor", "max_uses": 3}, headers=headers)
    assert link.status_code == 201
    assert link.json()["url"].startswith("https://slipway.test/join/")
    shown = {name: value for name, value in link.json().items() if name != "url"}
    assert (await client.get(f"{below}/join-links")).json() == {"items": [shown]}
    assert (shown["role"], shown["max_uses"], shown["uses"]) == ("auditor", 3, 0)

    domain = {"domain": "example.com", "role": "auditor", "asks": False}
    assert (await client.post(f"{below}/join-domains", json=domain, headers=headers)).json() == domain
    assert (await client.get(f"{below}/join-domains")).json() == {"items": [domain]}
    foreign = await client.post(f"{below}/join-domains", json={"domain": "elsewhere.example"}, headers=headers)
    assert foreign.status_code == 422

    for path in (f"{below}/join-links/{shown['id']}", f"{below}/join-domains/example.com"):
        assert [(await client.delete(path, headers=headers)).status_code for _ in range(2)] == [204, 404]


@pytest.mark.requirement("TEN-4")
async def test_the_database_takes_no_role_of_another_organization_and_keeps_one_that_is_promised(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    await open_door(client, "link")
    other = await add_team(db, await add_person(db, "Mary Somerville", "mary@example.com"), name="Other", slug="other")
    foreign = await add_role(db, other, "Auditor")
    async with system_scope(db):
        link = (await db.scalars(select(JoinLink))).one()
        with pytest.raises(IntegrityError, match="fk_join_links_organization_id_custom_role_id_roles"):
            async with db.begin_nested():
                link.custom_role_id = foreign.id
        with pytest.raises(IntegrityError, match="fk_join_links_organization_id_custom_role_id_roles"):
            async with db.begin_nested():
                await db.execute(delete(CustomRole).where(CustomRole.organization_id == acme.id))
