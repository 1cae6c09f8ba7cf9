"""Handing an organization over: offered, accepted, declined, withdrawn, expired; and always with an owner."""

from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.database import system_scope
from app.organizations.models import Membership, Organization
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in, mailed_link, templates_sent
from tests.app.organizations.teams import (
    add_member,
    add_role,
    add_team,
    events_of,
    give_role,
    membership_of,
    submit,
)


async def offer(client: AsyncTestClient, db: AsyncSession) -> tuple[Organization, User, User]:
    """Ada's team, which she has offered to Grace; Ada is logged in."""
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper")
    await log_in(client)
    answer = await submit(client, "/o/acme/danger/offer", user_id=str(grace.id))
    assert answer.headers["location"] == "/o/acme/danger"
    return acme, ada, grace


async def roles(db: AsyncSession, acme: Organization, *people: User) -> list[str | None]:
    found = [await membership_of(db, acme, person) for person in people]
    return [each.role if each else None for each in found]


async def test_an_offer_is_told_to_both_and_changes_nothing_until_it_is_accepted(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    acme, ada, grace = await offer(client, db)
    assert await roles(db, acme, ada, grace) == ["owner", "member"]
    sent = await templates_sent(db)
    assert ("organizations/ownership_offered", "grace@example.com") in sent
    assert ("organizations/ownership_offer_sent", "ada@example.com") in sent
    assert (await client.get("/o/acme/ownership")).status_code == 404, "it is not for the giver"
    client.cookies.clear()

    await log_in(client, "grace@example.com")
    link = (await mailed_link(db, "grace@example.com")).rstrip("?")
    assert "Ada Lovelace" in (await client.get(link)).text
    await submit(client, link)
    assert await roles(db, acme, ada, grace) == ["admin", "owner"]
    accepted = [to for template, to in await templates_sent(db) if template == "organizations/ownership_accepted"]
    assert sorted(accepted) == ["ada@example.com", "grace@example.com"]
    (event,) = await events_of(db, acme, "ownership.accepted")
    assert event.changes == {"owner": ["Ada Lovelace", "Grace Hopper"], "role": ["member", "owner"]}


async def test_an_offer_is_declined(client: AsyncTestClient, db: AsyncSession) -> None:
    acme, ada, grace = await offer(client, db)
    client.cookies.clear()
    await log_in(client, "grace@example.com")
    await submit(client, "/o/acme/ownership/decline")

    assert (await submit(client, "/o/acme/ownership")).status_code == 410
    assert await roles(db, acme, ada, grace) == ["owner", "member"]
    assert ("organizations/ownership_declined", "ada@example.com") in await templates_sent(db)


async def test_an_offer_is_withdrawn_and_another_can_be_made(client: AsyncTestClient, db: AsyncSession) -> None:
    acme, _, grace = await offer(client, db)
    mary = await add_member(db, acme, "Mary Somerville")
    await submit(client, "/o/acme/danger/offer", user_id=str(mary.id))
    assert "offered to somebody already" in (await client.get("/o/acme/danger")).text
    await submit(client, "/o/acme/danger/withdraw")
    assert ("organizations/ownership_withdrawn", "grace@example.com") in await templates_sent(db)
    await submit(client, "/o/acme/danger/offer", user_id=str(mary.id))
    client.cookies.clear()

    await log_in(client, "grace@example.com")
    assert (await submit(client, "/o/acme/ownership")).status_code == 410
    assert await roles(db, acme, grace) == ["member"]


async def test_an_offer_expires_after_a_week(client: AsyncTestClient, db: AsyncSession) -> None:
    acme, ada, grace = await offer(client, db)
    client.cookies.clear()
    with clock.travel(timedelta(days=7, seconds=1)):
        await log_in(client, "grace@example.com")
        assert "The offer has expired" in (await client.get("/o/acme/ownership")).text
        assert (await submit(client, "/o/acme/ownership")).status_code == 410
        client.cookies.clear()
        await log_in(client)
        await submit(client, "/o/acme/danger/offer", user_id=str(grace.id))
        assert "We wrote to Grace Hopper" in (await client.get("/o/acme/danger")).text
    assert await roles(db, acme, ada, grace) == ["owner", "member"]


@pytest.mark.requirement("ROL-1")
async def test_an_offer_by_somebody_who_owns_nothing_any_more_gives_nothing(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    acme, ada, grace = await offer(client, db)
    await add_member(db, acme, "Emmy Noether", Role.OWNER)
    async with system_scope(db):
        member = await membership_of(db, acme, ada)
        assert member is not None
        member.role = Role.ADMIN
    client.cookies.clear()
    await log_in(client, "grace@example.com")
    assert (await submit(client, "/o/acme/ownership")).status_code == 410
    async with system_scope(db):
        await db.execute(
            delete(Membership).where(Membership.user_id == grace.id, Membership.organization_id == acme.id)
        )
    assert (await client.get("/o/acme/ownership")).status_code == 404


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER])
async def test_only_owners_hand_over_and_delete(client: AsyncTestClient, db: AsyncSession, role: Role) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper", role)
    await log_in(client, "grace@example.com")

    assert (await client.get("/o/acme/danger")).status_code == 403
    for page, fields in (("offer", {"user_id": str(grace.id)}), ("withdraw", {}), ("delete", {"name": "Acme"})):
        assert (await submit(client, f"/o/acme/danger/{page}", **fields)).status_code == 403


async def test_what_is_dangerous_asks_for_a_recent_proof(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper")
    await log_in(client)
    with clock.travel(timedelta(minutes=16)):
        for page, fields in (("offer", {"user_id": str(grace.id)}), ("delete", {"name": "Acme"})):
            asked = await submit(client, f"/o/acme/danger/{page}", **fields)
            assert asked.headers["location"].startswith("/confirm-identity")
        assert (await client.get("/o/acme/danger")).headers["location"].startswith("/confirm-identity?next=/o/acme")
    assert acme.status == "active"


async def test_the_journal_says_which_role_of_the_organizations_own_the_new_owner_had(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    acme, _, grace = await offer(client, db)
    await give_role(db, grace, await add_role(db, acme, "Auditor", "audit.view"))
    client.cookies.clear()
    await log_in(client, "grace@example.com")
    await submit(client, "/o/acme/ownership")
    (event,) = await events_of(db, acme, "ownership.accepted")
    assert (event.changes or {})["role"] == ["auditor", "owner"]
    assert "<del>Auditor</del>" in (await client.get(f"/o/acme/audit/{event.id}")).text
