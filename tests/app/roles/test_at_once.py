"""A role that is deleted at the very moment in which somebody comes in with it, or gives it to somebody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, name_organization, system_scope
from app.invitations import accepting, domains, links
from app.invitations.actions import invite_people
from app.invitations.door_queries import find_link, find_request
from app.invitations.models import Invitation, JoinDomain, JoinRequest
from app.invitations.queries import find_for_person
from app.main import create_app
from app.organizations.custom_roles import find_role
from app.organizations.models import Membership, Organization, Scope
from app.policy import ENTRY
from app.roles.actions import delete_role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.locks import lock_waits
from tests.app.organizations.teams import add_member, add_role, add_team, events_of, give_role, membership_of

FACTS = RequestFacts()
DELETION = "/o/acme/roles/auditor/delete"
pytestmark = pytest.mark.requirement("ROL-1")


class Yard:
    """Ada's team at an installation whose requests really commit. Grace is no member yet; both are logged in."""

    def __init__(self, settings: Settings, database: Database, ada: AsyncTestClient, grace: AsyncTestClient) -> None:
        self.settings, self.database, self.ada, self.grace = settings, database, ada, grace
        self.target = ""

    async def scope(self, db: AsyncSession) -> Scope:
        """Ada's."""
        async with system_scope(db):
            acme = (await db.scalars(select(Organization).where(Organization.slug == "acme"))).one()
            ada = (await db.scalars(select(User).where(User.name == "Ada Lovelace"))).one()
            membership = await db.get_one(Membership, (acme.id, ada.id))
        await name_organization(db, acme.id)
        return Scope(ada, acme, membership, "")

    async def newcomer(self, db: AsyncSession) -> User:
        return (await db.scalars(select(User).where(User.name == "Grace Hopper"))).one()

    async def open(self, db: AsyncSession, door: str) -> None:
        """Let Grace in by a door, as an auditor. `target` is what her way in is addressed by."""
        scope, grace = await self.scope(db), await self.newcomer(db)
        role = await find_role(db, scope, "auditor")
        assert role is not None
        self.target = str(scope.organization.id)
        match door:
            case "invitation":
                addresses = ["grace@example.com"]
                [answer] = await invite_people(
                    db, self.settings, scope, addresses, role=role, message=None, facts=FACTS
                )
                assert answer.invitation is not None
                self.target = str(answer.invitation.id)
            case "link":
                _link, self.target = await links.create_link(
                    db, scope, role=role, domain=None, max_uses=None, days=1, facts=FACTS
                )
            case _:
                asks = door == "request"
                await domains.add_domain(db, scope, domain="example.com", role=role, asks=asks, facts=FACTS)
                if asks:
                    joined = await domains.join_by_domain(db, self.settings, grace, scope.organization.id, facts=FACTS)
                    assert joined is None
                    self.target = str(grace.id)

    async def press(self, door: str) -> Response:
        """Submit the form of the door."""
        client = self.ada if door == "request" else self.grace
        path = {
            "invitation": f"/organizations/invitations/{self.target}/accept",
            "link": f"/join/{self.target}",
            "domain": f"/organizations/{self.target}/join",
            "request": f"/o/acme/invitations/requests/{self.target}/grant",
        }[door]
        return await client.post(path, headers={"x-csrf-token": await csrf_token(client)})

    async def come_in(self, db: AsyncSession, door: str) -> None:
        """What that form does, in a transaction that goes on."""
        scope, grace = await self.scope(db), await self.newcomer(db)
        match door:
            case "invitation":
                found = (await db.scalars(select(Invitation.id))).one()
                invitation = await find_for_person(db, grace, found)
                assert invitation is not None
                await accepting.accept(db, self.settings, grace, invitation, facts=FACTS)
            case "link":
                link = await find_link(db, self.target)
                assert link is not None
                await links.join_by_link(db, grace, link, facts=FACTS)
            case "domain":
                await domains.join_by_domain(db, self.settings, grace, scope.organization.id, facts=FACTS)
            case _:
                request = await find_request(db, scope, grace.id)
                assert request is not None
                await domains.grant(db, self.settings, scope, request, facts=FACTS)

    async def delete_role(self, db: AsyncSession) -> None:
        scope = await self.scope(db)
        role, instead = await find_role(db, scope, "auditor"), await find_role(db, scope, "reader")
        await delete_role(db, self.settings, scope, role, instead=instead, facts=FACTS)  # type: ignore[arg-type] # its own

    async def delete(self) -> Response:
        """Submit the form that deletes the role."""
        fields = {"role": "reader", "csrf_token": await csrf_token(self.ada)}
        return await self.ada.post(DELETION, data=fields)

    async def permissions(self) -> set[str] | None:
        """What Grace may do by now; None while she is no member."""
        async with self.database.transaction() as db:
            scope = await self.scope(db)
            member = await membership_of(db, scope.organization, await self.newcomer(db))
            return set(member.permissions) if member else None


@pytest.fixture
async def yard(fresh_database: Database, settings: Settings) -> AsyncIterator[Yard]:
    async with fresh_database.transaction() as db:
        acme = await add_team(db, await add_person(db))
        await add_person(db, "Grace Hopper", "grace@example.com")
        await add_role(db, acme, "Auditor", "audit.view", "invitations.create")
        await add_role(db, acme, "Reader", "members.view", "invitations.create")
    app = create_app(settings, database=fresh_database)
    async with AsyncExitStack() as stack:
        clients = []
        for address in ("ada@example.com", "grace@example.com"):
            client = AsyncTestClient(
                app, base_url=settings.base_url, raise_server_exceptions=False, follow_redirects=False
            )
            clients.append(await stack.enter_async_context(client))
            await log_in(client, address)
        yield Yard(settings, fresh_database, *clients)


@pytest.mark.parametrize("door", ["invitation", "link", "domain", "request"])
async def test_who_comes_in_while_their_role_is_deleted_tries_again_and_gets_its_successor(
    yard: Yard, door: str
) -> None:
    async with yard.database.transaction() as db:
        await yard.open(db, door)
    async with asyncio.TaskGroup() as group, yard.database.transaction() as db:
        await yard.delete_role(db)
        pressed = group.create_task(yard.press(door))
        await lock_waits(yard.database, 1)
    assert pressed.result().status_code == (303 if door == "request" else 409), "whoever lets in reads it on the page"
    assert await yard.permissions() is None

    assert (await yard.press(door)).status_code == 303
    assert await yard.permissions() == {ENTRY, "members.view", "invitations.create"}


@pytest.mark.parametrize("door", ["invitation", "link", "domain", "request"])
async def test_a_role_with_which_somebody_comes_in_at_this_moment_goes_when_they_have_its_successor(
    yard: Yard, door: str
) -> None:
    async with yard.database.transaction() as db:
        await yard.open(db, door)
    async with asyncio.TaskGroup() as group, yard.database.transaction() as db:
        await yard.come_in(db, door)
        deleted = group.create_task(yard.delete())
        await lock_waits(yard.database, 1)
    if deleted.result().status_code == 422:
        assert "Choose the one that they get instead." in deleted.result().text
        assert await yard.permissions() == {ENTRY, "audit.view", "invitations.create"}
        assert (await yard.delete()).status_code == 303
    assert await yard.permissions() == {ENTRY, "members.view", "invitations.create"}


async def test_who_accepts_and_who_deletes_the_role_of_whoever_invited_do_not_wait_for_each_other(yard: Yard) -> None:
    async with yard.database.transaction() as db:
        await yard.open(db, "invitation")
        scope = await yard.scope(db)
        role = await find_role(db, scope, "auditor")
        mary = await add_member(db, scope.organization, "Mary Somerville")
        await give_role(db, mary, role)  # type: ignore[arg-type] # one of its own
        async with system_scope(db):
            (await db.scalars(select(Invitation))).one().invited_by = mary.id
    async with asyncio.TaskGroup() as group, yard.database.transaction() as db:
        await yard.scope(db)
        await db.execute(select(Invitation.id).with_for_update())
        deleted = group.create_task(yard.delete())
        await lock_waits(yard.database, 1)
        await yard.come_in(db, "invitation")
    assert deleted.result().status_code == 303
    assert await yard.permissions() == {ENTRY, "members.view", "invitations.create"}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/o/acme/invitations/new", {"emails": "new@example.com"}),
        ("/o/acme/invitations/links/new", {"days": "7"}),
        ("/o/acme/invitations/domains/new", {"domain": "example.com"}),
        ("/o/acme/members/{mary}/role", {}),
        ("/api/v1/organizations/acme/members/{mary}", {}),
    ],
)
async def test_nobody_gives_a_role_that_is_deleted_at_this_moment(
    yard: Yard, path: str, fields: dict[str, str]
) -> None:
    async with yard.database.transaction() as db:
        mary = await add_member(db, (await yard.scope(db)).organization, "Mary Somerville")
    token, wish = await csrf_token(yard.ada), {**fields, "role": "auditor"}
    path = path.format(mary=mary.id)
    async with asyncio.TaskGroup() as group, yard.database.transaction() as db:
        await yard.delete_role(db)
        if path.startswith("/api/"):
            given = group.create_task(yard.ada.patch(path, json=wish, headers={"x-csrf-token": token}))
        else:
            given = group.create_task(yard.ada.post(path, data={**wish, "csrf_token": token}))
        await lock_waits(yard.database, 1)
    assert given.result().status_code == (303 if path.startswith("/o/acme/members") else 422)
    async with yard.database.transaction() as db:
        scope = await yard.scope(db)
        for table in (Invitation, JoinDomain, JoinRequest):
            assert (await db.scalars(select(table))).all() == []
        member = await membership_of(db, scope.organization, mary)
        assert member is not None
        assert member.role == "member"


async def test_of_two_who_delete_or_change_a_role_at_once_the_second_is_told_that_it_is_gone(yard: Yard) -> None:
    fields = {"name": "Reviewer", "permissions": ENTRY}
    token = await csrf_token(yard.ada)
    async with asyncio.TaskGroup() as group, yard.database.transaction() as db:
        await yard.delete_role(db)
        deleted = group.create_task(yard.delete())
        changed = group.create_task(yard.ada.post("/o/acme/roles/auditor", data={**fields, "csrf_token": token}))
        await lock_waits(yard.database, 2)
    assert (deleted.result().status_code, changed.result().status_code) == (404, 404)
    async with yard.database.transaction() as db:
        assert len(await events_of(db, (await yard.scope(db)).organization, "roles.deleted")) == 1
