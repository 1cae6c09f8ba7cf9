"""Join links and joining by domain: who comes in, who does not, and what they learn before."""

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, User
from app.config import Settings
from app.database import Database, name_organization, system_scope
from app.invitations.models import JoinLink, JoinRequest
from app.main import create_app
from app.organizations.models import Organization
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, templates_sent
from tests.app.organizations.teams import add_member, add_team, events_of, membership_of, submit, text_of

BELOW = "/o/acme/invitations"


async def found_acme(client: AsyncTestClient, db: AsyncSession) -> tuple[User, Organization]:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await log_in(client)
    return ada, acme


async def make_link(client: AsyncTestClient, **fields: str) -> str:
    """The path of a new join link."""
    page = await submit(client, f"{BELOW}/links/new", **{"days": "7", **fields})
    found = re.search(r"https://slipway\.test(/join/[\w-]+)", page.text)
    assert found is not None, page.text
    return found[1]


async def become(client: AsyncTestClient, address: str) -> None:
    client.cookies.clear()
    await log_in(client, address)


async def test_whoever_has_the_link_joins_as_a_member_by_a_button(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    path = await make_link(client)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    client.cookies.clear()
    stranger = await client.get(path)
    assert f"/sign-up?next={path}" in stranger.text
    assert "Acme" not in stranger.text
    await log_in(client, "grace@example.com")

    page = await client.get(path)
    assert "Acme" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert await membership_of(db, acme, grace) is None, "looking does not join"
    assert (await submit(client, path)).headers["location"] == "/o/acme"
    member = await membership_of(db, acme, grace)
    assert member is not None
    assert member.role == "member"
    assert (await client.get(path)).headers["location"] == "/o/acme"
    (event,) = await events_of(db, acme, "members.joined")
    assert event.changes == {"role": [None, "member"], "door": [None, "link"]}
    async with system_scope(db):
        link = (await db.scalars(select(JoinLink).execution_options(populate_existing=True))).one()
        assert link.uses == 1
        assert len(link.code_hash) == 32


@pytest.mark.parametrize("how", ["expired", "revoked", "used up", "maker gone", "other domain", "organization closed"])
async def test_a_link_that_does_not_work_tells_nothing(client: AsyncTestClient, db: AsyncSession, how: str) -> None:
    ada, acme = await found_acme(client, db)
    await add_member(db, acme, "Emmy Noether", Role.OWNER)
    path = await make_link(client, **({"domain": "example.org"} if how == "other domain" else {"max_uses": "1"}))
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    async with system_scope(db):
        link = (await db.scalars(select(JoinLink))).one()
        member = await membership_of(db, acme, ada)
        assert member is not None
        match how:
            case "expired":
                link.expires_at = clock.now()
            case "revoked":
                link.revoked_at = clock.now()
            case "used up":
                link.uses = 1
            case "maker gone":
                await db.delete(member)
            case "organization closed":
                acme.status, acme.delete_at = "deleting", clock.now() + timedelta(days=14)
    await become(client, "grace@example.com")

    answers = [await client.get(path), await submit(client, path)]
    if how != "maker gone":  # Whether its maker may still invite is looked at when somebody joins.
        assert answers[0].status_code in (403, 410)
        assert "Acme" not in answers[0].text
    assert answers[1].status_code in (403, 410)
    assert await membership_of(db, acme, grace) is None


async def test_a_link_for_three_lets_three_in_however_many_come_at_once(
    fresh_database: Database, settings: Settings
) -> None:
    app = create_app(settings, database=fresh_database)
    async with fresh_database.transaction() as db:
        ada = await add_person(db)
        acme = await add_team(db, ada)
        people = [await add_person(db, f"Person {number}", f"p{number}@example.com") for number in range(6)]
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        await log_in(client)
        path = await make_link(client, max_uses="3")

    async def join(number: int) -> int:
        async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
            await log_in(client, f"p{number}@example.com")
            return (await client.post(path, data={"csrf_token": await csrf_token(client)})).status_code

    statuses = await asyncio.gather(*(join(number) for number in range(6)))
    assert sorted(statuses) == [303, 303, 303, 410, 410, 410]
    async with fresh_database.transaction() as db:
        await name_organization(db, acme.id)
        joined = [await membership_of(db, acme, person) for person in people]
        assert sum(1 for each in joined if each) == 3


async def test_ordinary_members_make_no_links(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    await add_member(db, acme, "Grace Hopper")
    await become(client, "grace@example.com")
    assert (await submit(client, f"{BELOW}/links/new", days="7")).status_code == 403


async def test_colleagues_find_the_organization_by_a_verified_address_alone(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    _, acme = await found_acme(client, db)
    await submit(client, f"{BELOW}/domains/new", domain="example.com")
    assert "find you now" in (await client.get(BELOW)).text
    mary = await add_person(db, "Mary Somerville", "mary@elsewhere.example")
    db.add(Email(user_id=mary.id, address="mary@example.com"))
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    path = f"/organizations/{acme.id}/join"

    await become(client, "mary@elsewhere.example")
    assert "Acme" not in (await client.get("/organizations")).text
    assert (await submit(client, path)).status_code == 404
    await become(client, "grace@example.com")
    assert "Acme" in (await client.get("/organizations")).text
    assert (await submit(client, path)).headers["location"] == "/o/acme"
    assert await membership_of(db, acme, grace) is not None
    assert await membership_of(db, acme, mary) is None


async def test_where_they_have_to_ask_somebody_lets_them_in(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    await submit(client, f"{BELOW}/domains/new", domain="example.com", asks="true")
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    mary = await add_person(db, "Mary Somerville", "mary@example.com")
    for address in ("grace@example.com", "mary@example.com"):
        await become(client, address)
        await submit(client, f"/organizations/{acme.id}/join")
        await submit(client, f"/organizations/{acme.id}/join")
        assert "You asked to join" in (await client.get("/organizations")).text
    assert await membership_of(db, acme, grace) is None
    assert [to for template, to in await templates_sent(db) if template == "invitations/asked"] == [
        "ada@example.com"
    ] * 2

    await become(client, "ada@example.com")
    assert "Grace Hopper" in (await client.get(BELOW)).text
    await submit(client, f"{BELOW}/requests/{grace.id}/grant")
    await submit(client, f"{BELOW}/requests/{mary.id}/refuse")
    assert await membership_of(db, acme, grace) is not None
    assert await membership_of(db, acme, mary) is None
    assert ("invitations/let_in", "grace@example.com") in await templates_sent(db)
    async with system_scope(db):
        assert (await db.scalars(select(JoinRequest))).all() == []


@pytest.mark.parametrize("domain", ["elsewhere.example", "gmail.com", "no domain"])
async def test_a_domain_that_is_not_the_members_cannot_be_opened(
    client: AsyncTestClient, db: AsyncSession, domain: str
) -> None:
    await found_acme(client, db)
    refused = await submit(client, f"{BELOW}/domains/new", domain=domain)
    assert refused.status_code == 422
    assert "field-domain-error" in refused.text


async def test_a_domain_is_closed_again(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    await submit(client, f"{BELOW}/domains/new", domain="example.com")
    await submit(client, f"{BELOW}/domains/remove", domain="example.com")
    assert "no longer find you" in text_of(await client.get(BELOW))
    await add_person(db, "Grace Hopper", "grace@example.com")
    await become(client, "grace@example.com")
    assert "Acme" not in (await client.get("/organizations")).text
    assert [event.changes for event in await events_of(db, acme, "join_domains.removed")] == [
        {"domain": ["example.com", None]}
    ]
