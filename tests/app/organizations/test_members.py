"""Members: listed in pages, given other roles, suspended and removed, never above one's own role, never the last owner."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.database import Database, name_organization
from app.features import shell_parts
from app.main import create_app
from app.organizations.members import LastOwner
from app.organizations.models import MembershipStatus
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, templates_sent
from tests.app.organizations.teams import (
    add_many,
    add_member,
    add_role,
    add_team,
    events_of,
    give_role,
    membership_of,
    submit,
    text_of,
)

Statements = Callable[[], AbstractContextManager[list[str]]]
MANY = 10_000


async def test_members_of_a_large_organization_come_in_pages_by_a_constant_number_of_statements(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await log_in(client)
    with statements() as few:
        await client.get("/o/acme/members")
    await add_many(db, acme, MANY)

    with statements() as many:
        first = await client.get("/o/acme/members")
    assert len(many) == len(few) <= 5 + len(shell_parts()), "\n".join(many)
    assert first.text.count('scope="row"') == 50
    assert "More than 1000 people" in text_of(first)
    path = first.text.partition("?cursor=")[2].partition('"')[0]
    with statements() as next_ones:
        second = await client.get(f"/o/acme/members?cursor={path}")
    assert len(next_ones) == len(few)
    assert "Person 00049" in second.text
    assert "Person 00048" not in second.text
    found = await client.get("/o/acme/members", params={"search": "PERSON 09999", "role": "member"})
    assert found.text.count('scope="row"') == 1


async def test_members_are_filtered_by_role_status_and_name(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper", Role.ADMIN)
    await add_member(db, acme, "Mary Somerville", status=MembershipStatus.SUSPENDED)
    await log_in(client)

    async def listed(**query: str) -> list[str]:
        page = (await client.get("/o/acme/members", params=query)).text.partition("<main")[2]
        return [name for name in ("Ada Lovelace", "Grace Hopper", "Mary Somerville") if f">{name}" in page]

    assert await listed(role="admin") == ["Grace Hopper"]
    assert await listed(status="suspended") == ["Mary Somerville"]
    assert await listed(search="MARY@") == ["Mary Somerville"]
    assert await listed(search="%") == []
    assert await listed(role="", status="", search="") == ["Ada Lovelace", "Grace Hopper", "Mary Somerville"]
    assert "Nobody matches" in (await client.get("/o/acme/members", params={"search": "nobody"})).text
    assert "Nobody matches" in (await client.get("/o/acme/members", params={"role": "nobody"})).text


async def test_members_are_filtered_by_a_role_of_the_organizations_own(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    acme = await add_team(db, await add_person(db))
    grace = await add_member(db, acme, "Grace Hopper")
    await add_member(db, acme, "Mary Somerville")
    await give_role(db, grace, await add_role(db, acme, "Auditor", "audit.view"))
    await log_in(client)

    for path, role, name, other in (
        ("/o/acme/members", "auditor", "Grace Hopper", "Mary Somerville"),
        ("/o/acme/members", "member", "Mary Somerville", "Grace Hopper"),
        ("/api/v1/organizations/acme/members", "auditor", "Grace Hopper", "Mary Somerville"),
    ):
        page = await client.get(path, params={"role": role})
        assert name in page.text
        assert other not in page.text
    assert (
        '<option value="auditor" selected>Auditor</option>' in (await client.get("/o/acme/members?role=auditor")).text
    )


async def test_only_who_changes_members_sees_their_second_factor_and_when_they_came(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper")
    await log_in(client)
    assert "Second factor" in (await client.get("/o/acme/members")).text
    client.cookies.clear()

    await log_in(client, "grace@example.com")
    page = (await client.get("/o/acme/members")).text
    for hidden in ("Second factor", "Last active", "/suspend", '<select class="input select input--small"'):
        assert hidden not in page


async def test_a_role_is_changed_in_place_noted_and_told(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper")
    await log_in(client)

    await submit(client, f"/o/acme/members/{grace.id}/role", role="admin")
    assert "Grace Hopper has another role now: Admin." in text_of(await client.get("/o/acme/members"))
    member = await membership_of(db, acme, grace)
    assert member is not None
    assert member.role == "admin"
    (event,) = await events_of(db, acme, "members.role_changed")
    assert (event.actor_label, event.target_label, event.changes) == (
        "Ada Lovelace",
        "Grace Hopper",
        {"role": ["member", "admin"]},
    )
    assert ("organizations/role_changed", "grace@example.com") in await templates_sent(db)


@pytest.mark.requirement("ROL-1")
async def test_nobody_gives_or_takes_a_role_above_their_own(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper", Role.ADMIN)
    mary = await add_member(db, acme, "Mary Somerville")
    await log_in(client, "grace@example.com")
    token = await csrf_token(client)

    for path, fields in (
        (f"{mary.id}/role", {"role": "owner"}),
        (f"{ada.id}/role", {"role": "member"}),
        (f"{ada.id}/suspend", {}),
        (f"{ada.id}/remove", {}),
    ):
        await submit(client, f"/o/acme/members/{path}", **fields)
        assert "above your own" in (await client.get("/o/acme/members")).text, path
    headers = {"x-csrf-token": token}
    path = f"/api/v1/organizations/acme/members/{mary.id}"
    assert (await client.patch(path, json={"role": "owner"}, headers=headers)).status_code == 403
    for person, role in ((ada, "owner"), (mary, "member")):
        member = await membership_of(db, acme, person)
        assert member is not None
        assert (member.role, member.status) == (role, "active")


@pytest.mark.requirement("ROL-1")
async def test_the_last_owner_cannot_step_down_or_leave_and_is_told_why(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper")
    await log_in(client)

    for path, fields in ((f"members/{ada.id}/role", {"role": "member"}), ("leave", {})):
        await submit(client, f"/o/acme/{path}", **fields)
        assert "An organization needs an owner." in (await client.get("/o/acme/members")).text
    await submit(client, f"/o/acme/members/{ada.id}/suspend")
    assert "You cannot do this to yourself." in (await client.get("/o/acme/members")).text

    await submit(client, f"/o/acme/members/{grace.id}/role", role="owner")
    left = await submit(client, "/o/acme/leave")
    assert left.headers["location"] == "/o"
    assert (await client.get("/o/acme")).status_code == 404
    assert await membership_of(db, acme, ada) is None


@pytest.mark.requirement("ROL-1")
async def test_of_two_owners_who_step_down_at_once_one_is_told_in_words(
    fresh_database: Database, settings: Settings
) -> None:
    async with fresh_database.transaction() as db:
        ada = await add_person(db)
        acme = await add_team(db, ada)
        grace = await add_member(db, acme, "Grace Hopper", Role.OWNER)
    app = create_app(settings, database=fresh_database)

    async def step_down(address: str, person: User) -> str:
        async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
            await log_in(client, address)
            token = await csrf_token(client)
            both.release()
            await everybody.wait()
            form = {"role": "member", "csrf_token": token}
            await client.post(f"/o/acme/members/{person.id}/role", data=form)
            return (await client.get("/o/acme/members")).text

    both, everybody = asyncio.Semaphore(0), asyncio.Event()
    tasks = [
        asyncio.ensure_future(step_down("ada@example.com", ada)),
        asyncio.ensure_future(step_down("grace@example.com", grace)),
    ]
    for _ in tasks:
        await both.acquire()
    everybody.set()
    pages = await asyncio.gather(*tasks)

    assert sum("An organization needs an owner." in page for page in pages) == 1
    async with fresh_database.transaction() as db:
        await name_organization(db, acme.id)
        roles = [(await membership_of(db, acme, person)) for person in (ada, grace)]
        assert sorted(each.role for each in roles if each) == ["member", "owner"]


async def test_a_suspended_member_comes_back(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper")
    await log_in(client)

    for verb, status in (("suspend", "suspended"), ("reactivate", "active")):
        await submit(client, f"/o/acme/members/{grace.id}/{verb}")
        member = await membership_of(db, acme, grace)
        assert member is not None
        assert member.status == status
    assert len(await events_of(db, acme, "members.suspended")) == 1
    assert len(await events_of(db, acme, "members.reactivated")) == 1


async def test_a_member_is_removed_after_a_question_and_told(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper")
    await log_in(client)
    path = f"/o/acme/members/{grace.id}/remove"
    assert "Grace Hopper" in (await client.get(path)).text
    assert await membership_of(db, acme, grace) is not None

    await submit(client, path)
    assert await membership_of(db, acme, grace) is None
    (event,) = await events_of(db, acme, "members.removed")
    assert event.changes == {"role": ["member", None]}
    assert ("organizations/removed", "grace@example.com") in await templates_sent(db)


async def test_programs_change_and_remove_members(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper")
    stranger = await add_person(db, "Emmy Noether", "emmy@example.com")
    await log_in(client)
    headers = {"x-csrf-token": await csrf_token(client)}
    path = f"/api/v1/organizations/acme/members/{grace.id}"

    changed = await client.patch(path, json={"role": "admin", "status": "suspended"}, headers=headers)
    assert (changed.status_code, changed.json()["role"], changed.json()["status"]) == (200, "admin", "suspended")
    filtered = await client.get("/api/v1/organizations/acme/members", params={"role": "admin", "search": "grace"})
    assert [each["user_id"] for each in filtered.json()["items"]] == [str(grace.id)]
    for body in ({"organization_id": str(acme.id)}, {"is_staff": True}, {"role": "emperor"}):
        assert (await client.patch(path, json=body, headers=headers)).status_code == 422
    foreign = f"/api/v1/organizations/acme/members/{stranger.id}"
    assert (await client.patch(foreign, json={"role": "admin"}, headers=headers)).status_code == 404
    assert (await client.delete(path, headers=headers)).status_code == 204
    assert (await client.delete(path, headers=headers)).status_code == 404
    own = f"/api/v1/organizations/acme/members/{ada.id}"
    assert (await client.patch(own, json={"role": "member"}, headers=headers)).status_code == LastOwner.status_code


async def test_a_name_is_text_wherever_a_row_says_it(client: AsyncTestClient, db: AsyncSession) -> None:
    acme = await add_team(db, await add_person(db))
    await add_member(db, acme, '"><script>alert(1)</script>')
    await log_in(client)
    page = (await client.get("/o/acme/members")).text
    assert "<script>alert" not in page
    assert 'aria-label="Suspend &#34;&gt;&lt;script&gt;' in page
    assert 'aria-label="Role of &#34;&gt;&lt;script&gt;' in page
    assert "&amp;#34;" not in page, "escaped once"
