"""Answering invitations: the right person, once, by a button, while whoever invited could still invite."""

import asyncio
from datetime import timedelta

import pytest
from httpx2 import Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, name_organization, system_scope
from app.invitations import actions, queries
from app.invitations.models import Invitation
from app.main import create_app
from app.organizations.dependencies import find_scope
from app.organizations.models import Membership, Organization
from app.policy import Role
from app.tokens.models import Credential
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    PASSWORD,
    add_person,
    csrf_token,
    log_in,
    mailed_link,
    mailed_token,
    newest_message,
    sign_up,
    templates_sent,
)
from tests.app.organizations.teams import add_member, add_team, events_of, membership_of, submit, text_of


async def invite(
    db: AsyncSession, settings: Settings, address: str = "grace@example.com", role: Role = Role.MEMBER
) -> tuple[Organization, str]:
    """Ada's team, and the link by which somebody is invited to it."""
    ada = await add_person(db)
    acme = await add_team(db, ada)
    scope = await find_scope(db, Credential(ada), "acme", request_id="")
    assert scope is not None
    await actions.invite_people(db, settings, scope, [address], role=role, message=None, facts=RequestFacts())
    return acme, (await mailed_link(db, address)).rstrip("?")


async def press(client: AsyncTestClient, link: str, verb: str) -> Response:
    return await submit(client, f"{link}/{verb}")


async def test_a_stranger_signs_up_comes_back_and_is_in(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    acme, link = await invite(db, settings)
    page = await client.get(link)
    assert page.status_code == 200
    assert "You can join Acme , as: Member." in text_of(page)
    assert page.headers["referrer-policy"] == "no-referrer"
    assert f"/sign-up?next={link}" in page.text

    await sign_up(client, email="grace@example.com", name="Grace Hopper", next=link)
    verified = await client.post("/verify-email", data={"token": await mailed_token(db, "grace@example.com")})
    assert verified.headers["location"] == f"/log-in?next={link}"
    back = await log_in(client, "grace@example.com", next=link)
    assert back.headers["location"] == link
    assert "Ada Lovelace invited you." in text_of(await client.get(link))
    joined = await press(client, link, "accept")
    assert joined.headers["location"] == "/o/acme"
    assert "Welcome to Acme." in (await client.get("/o/acme")).text
    assert ("invitations/accepted", "ada@example.com") in await templates_sent(db)
    assert [event.actor_label for event in await events_of(db, acme, "invitations.accepted")] == ["Grace Hopper"]
    assert len(await events_of(db, acme, "members.joined")) == 1


@pytest.mark.requirement("INV-1")
async def test_looking_changes_nothing(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    acme, link = await invite(db, settings)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await client.get(link)
    await log_in(client, "grace@example.com")
    for _ in range(2):
        assert (await client.get(link)).status_code == 200
        assert (await client.head(link)).status_code == 200
    for verb in ("accept", "decline"):
        assert (await client.get(f"{link}/{verb}")).status_code == 405

    assert await membership_of(db, acme, grace) is None
    async with system_scope(db):
        assert (await db.scalars(select(Invitation.accepted_at))).all() == [None]


@pytest.mark.requirement("INV-1", "INV-2")
async def test_somebody_else_learns_nothing_and_cannot_answer(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    acme, link = await invite(db, settings)
    mary = await add_person(db, "Mary Somerville", "mary@example.com")
    # A claim that nobody proved is no address.
    db.add(Email(user_id=mary.id, address="grace@example.com"))
    await db.flush()
    await log_in(client, "mary@example.com")

    page = await client.get(link)
    assert page.status_code == 403
    assert "g•••@example.com" in page.text
    for secret in ("Acme", "grace@example.com", "Ada Lovelace"):
        assert secret not in page.text
    for verb in ("accept", "decline"):
        refused = await press(client, link, verb)
        assert refused.status_code == 403
        assert "Acme" not in refused.text
    assert await membership_of(db, acme, mary) is None


@pytest.mark.requirement("INV-1")
async def test_any_verified_address_of_the_person_counts_whatever_its_case(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    acme, link = await invite(db, settings, "Hopper@example.com")
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    db.add(Email(user_id=grace.id, address="hopper@example.com", verified_at=clock.now()))
    await db.flush()
    await log_in(client, "grace@example.com")
    await press(client, link, "accept")
    assert await membership_of(db, acme, grace) is not None


@pytest.mark.requirement("INV-1")
async def test_an_invitation_expires(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    acme, link = await invite(db, settings)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    with clock.travel(timedelta(days=7, seconds=1)):
        page = await client.get(link)
        assert page.status_code == 410
        assert "This invitation has expired" in page.text
        assert "Acme" not in page.text
        await log_in(client, "grace@example.com")
        assert (await press(client, link, "accept")).status_code == 410
    assert await membership_of(db, acme, grace) is None


async def test_made_up_tokens_lead_nowhere(client: AsyncTestClient, db: AsyncSession) -> None:
    for token in ("x", "A" * 43, "%00"):
        assert (await client.get(f"/invitations/{token}")).status_code in (404, 410), token


async def test_declining_tells_who_invited_and_ends_the_invitation(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    acme, link = await invite(db, settings)
    await add_person(db, "Grace Hopper", "grace@example.com")
    await log_in(client, "grace@example.com")
    assert (await press(client, link, "decline")).headers["location"] == "/organizations"

    assert ("invitations/declined", "ada@example.com") in await templates_sent(db)
    assert (await press(client, link, "accept")).status_code == 410
    assert "has been answered" in (await client.get(link)).text
    assert len(await events_of(db, acme, "invitations.declined")) == 1


async def test_somebody_who_is_in_already_is_led_there(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    acme, link = await invite(db, settings)
    await add_member(db, acme, "Grace Hopper")
    await log_in(client, "grace@example.com")
    assert (await client.get(link)).headers["location"] == "/o/acme"
    assert (await press(client, link, "accept")).headers["location"] == "/o/acme"
    assert "You are a member already." in (await client.get("/o/acme")).text


@pytest.mark.requirement("INV-1")
@pytest.mark.parametrize("what", ["removed", "suspended", "demoted", "lower"])
async def test_an_invitation_is_void_when_its_sender_could_not_send_it_any_more(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, what: str
) -> None:
    acme, link = await invite(db, settings, role=Role.OWNER)
    owner = await add_member(db, acme, "Emmy Noether", Role.OWNER)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    async with system_scope(db):
        sender = await db.scalar(
            select(Membership).where(Membership.organization_id == acme.id, Membership.user_id != owner.id)
        )
        assert sender is not None
        if what == "removed":
            await db.delete(sender)
        elif what == "suspended":
            sender.status = "suspended"
        else:
            sender.role = Role.MEMBER if what == "demoted" else Role.ADMIN
    assert (await client.get(link)).status_code == 410

    await log_in(client, "grace@example.com")
    assert (await press(client, link, "accept")).status_code == 410
    assert await membership_of(db, acme, grace) is None


async def test_invitations_wait_in_the_switcher_and_are_answered_there(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    acme, _ = await invite(db, settings)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    mary = await add_person(db, "Mary Somerville", "mary@example.com")
    async with system_scope(db):
        (invitation_id,) = (await db.scalars(select(Invitation.id))).all()
    path = f"/organizations/invitations/{invitation_id}"
    await log_in(client, "mary@example.com")
    assert "One invitation" not in (await client.get("/o/mary-somerville")).text
    assert (await submit(client, f"{path}/accept")).status_code == 404
    client.cookies.clear()

    await log_in(client, "grace@example.com")
    assert "One invitation" in (await client.get("/o/grace-hopper")).text
    assert "Acme" in (await client.get("/organizations")).text
    assert (await submit(client, f"{path}/accept")).headers["location"] == "/o/acme"
    assert await membership_of(db, acme, grace) is not None
    assert await membership_of(db, acme, mary) is None


@pytest.mark.requirement("INV-1")
async def test_of_fifty_acceptances_at_once_one_makes_a_membership(
    fresh_database: Database, settings: Settings
) -> None:
    async with fresh_database.transaction() as db:
        acme, link = await invite(db, settings)
        grace = await add_person(db, "Grace Hopper", "grace@example.com")
    app = create_app(settings, database=fresh_database)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        await log_in(client, "grace@example.com")
        form = {"csrf_token": await csrf_token(client)}
        answers = await asyncio.gather(*(client.post(f"{link}/accept", data=form) for _ in range(50)))

    statuses = {answer.status_code for answer in answers}
    assert statuses <= {303, 410}
    async with fresh_database.transaction() as db:
        await name_organization(db, acme.id)
        own = Membership.organization_id == acme.id
        assert await db.scalar(select(func.count()).where(own, Membership.user_id == grace.id)) == 1
        assert len(await events_of(db, acme, "members.joined")) == 1
        assert [to for template, to in await templates_sent(db) if template == "invitations/accepted"] == [
            "ada@example.com"
        ]


async def test_an_invitation_opens_sign_up_where_only_the_invited_may(
    db: AsyncSession, settings: Settings, client: AsyncTestClient
) -> None:
    _, link = await invite(db, settings)
    await client.get(link)
    page = await client.get(f"/sign-up?next={link}")
    assert 'value="grace@example.com"' in page.text


async def test_the_message_is_in_the_language_of_who_invites(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    await invite(db, settings)
    message = await newest_message(db, "grace@example.com")
    assert message.subject == "Ada Lovelace invites you to Acme"
    assert PASSWORD not in message.text
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    assert len(await queries.list_for_person(db, grace)) == 1
