"""The security policy: it binds sessions that are open already, browsers and programs alike, and locks nobody out."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Session, User
from app.database import system_scope
from app.organizations.models import Organization
from app.organizations.security import find_second_factor_demand
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.organizations.teams import add_member, add_team, events_of, submit, text_of

POLICY = "/o/acme/security"


async def give_factor(db: AsyncSession, user: User, *, shown: bool = True) -> None:
    """A second factor, which the person's sessions have shown or not."""
    await db.execute(update(User).where(User.id == user.id).values(second_factor_at=clock.now()))
    if shown:
        statement = update(Session).where(Session.user_id == user.id)
        await db.execute(statement.values(authentication_methods=["password", "totp"]))


async def demand(db: AsyncSession, organization: Organization, **values: object) -> None:
    async with system_scope(db):
        await db.execute(update(Organization).where(Organization.id == organization.id).values(**values))


async def test_the_policy_is_changed_by_owners_and_noted(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await log_in(client)
    await give_factor(db, ada)
    day = (clock.now() + timedelta(days=10)).date().isoformat()

    fields = {"second_factor_from": day, "allowed_domains": "Example.com, example.org", "session_hours": "8"}
    assert (await submit(client, POLICY, **fields)).headers["location"] == POLICY
    page = (await client.get(POLICY)).text
    assert f'value="{day}"' in page
    assert 'value="example.com example.org"' in page
    (event,) = await events_of(db, acme, "security.policy_changed")
    assert event.changes is not None
    assert event.changes["session_hours"] == [None, 8]
    assert event.changes["allowed_domains"] == [[], ["example.com", "example.org"]]
    await submit(client, POLICY, **fields)
    assert len(await events_of(db, acme, "security.policy_changed")) == 1, "nothing changed the second time"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"second_factor_from": "2020-01-01"}, "Set up a second factor for yourself"),
        ({"allowed_domains": "elsewhere.example"}, "Your own address must be at one"),
        ({"allowed_domains": "no domain!"}, "Enter domains such as"),
        ({"session_hours": "0"}, "field-session_hours-error"),
        ({"session_hours": "1000"}, "field-session_hours-error"),
        ({"second_factor_from": "soon"}, "field-second_factor_from-error"),
    ],
)
async def test_a_policy_that_shuts_its_maker_out_or_means_nothing_is_refused(
    client: AsyncTestClient, db: AsyncSession, fields: dict[str, str], reason: str
) -> None:
    ada = await add_person(db)
    await add_team(db, ada)
    await log_in(client)
    refused = await submit(client, POLICY, **fields)
    assert refused.status_code == 422
    assert reason in refused.text


async def test_admins_see_the_policy_and_only_owners_change_it(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper", Role.ADMIN)
    await log_in(client, "grace@example.com")
    assert "Only an owner can change this." in (await client.get(POLICY)).text
    assert (await submit(client, POLICY, session_hours="1")).status_code == 403


@pytest.mark.requirement("MFA-6")
async def test_before_the_deadline_members_are_reminded_and_after_it_they_get_no_further(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper", Role.OWNER)
    await log_in(client, "grace@example.com")
    token = await csrf_token(client)
    await demand(db, acme, second_factor_from=clock.now() + timedelta(days=7))
    assert "Set it up now" in (await client.get("/o/acme")).text
    assert "Not now" in (await client.get("/o/acme/second-factor")).text

    await demand(db, acme, second_factor_from=clock.now())
    for path in ("", "/members", "/security", "/danger", "/invitations"):
        led = await client.get(f"/o/acme{path}")
        assert (led.status_code, led.headers["location"]) == (303, "/o/acme/second-factor"), path
    page = await client.get("/o/acme/second-factor")
    assert "Set up a second factor" in text_of(page)
    assert "Not now" not in page.text
    assert (await client.post("/o/acme/security", data={"csrf_token": token})).status_code == 303
    for ask in ("/api/v1/organizations/acme", "/api/v1/organizations/acme/members"):
        refused = await client.get(ask, headers={"accept": "application/json"})
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    query = {"query": '{ organization(slug: "acme") { name } }'}
    by_graphql = await client.post("/graphql", json=query, headers={"x-csrf-token": token})
    assert "second factor" in by_graphql.text
    assert (await client.get("/o/grace-hopper")).status_code == 200, "elsewhere nothing changes"

    await give_factor(db, grace)
    assert (await client.get("/o/acme")).status_code == 200
    async with system_scope(db):
        assert await find_second_factor_demand(db, grace) == "Acme"


@pytest.mark.requirement("MFA-6")
async def test_a_session_that_never_showed_the_factor_has_to(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await log_in(client)
    await give_factor(db, ada, shown=False)
    await demand(db, acme, second_factor_from=clock.now())

    assert (await client.get("/o/acme")).headers["location"] == "/o/acme/second-factor"
    page = (await client.get("/o/acme/second-factor")).text
    assert "Show it once in this browser" in page
    assert "?next=/o/acme" in page


async def test_members_confirm_again_after_the_hours_of_the_policy(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await demand(db, acme, session_hours=2)
    await log_in(client)
    with clock.travel(timedelta(hours=1, minutes=59)):
        assert (await client.get("/o/acme/members")).status_code == 200
    with clock.travel(timedelta(hours=2)):
        led = await client.get("/o/acme/members")
        assert led.headers["location"] == "/confirm-identity?next=/o/acme/members"
        refused = await client.get("/api/v1/organizations/acme", headers={"accept": "application/json"})
        assert refused.status_code == 403
        assert (await client.get("/o/ada-lovelace")).status_code == 200


@pytest.mark.requirement("INV-1")
async def test_new_members_need_an_address_at_an_allowed_domain(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await demand(db, acme, allowed_domains=["example.com"])
    await log_in(client)
    answer = await submit(client, "/o/acme/invitations/new", emails="new@elsewhere.example", role="member")
    assert "Not at an allowed domain" in answer.text
    answer = await submit(client, "/o/acme/invitations/new", emails="new@EXAMPLE.com", role="member")
    assert "Invited" in answer.text
