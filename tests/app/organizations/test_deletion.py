"""Deleting an organization: closed at once, kept for two weeks, then gone with everything in it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import system_scope
from app.jobs.registry import JobContext, get_job
from app.organizations.models import Organization
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in, mailed_link, templates_sent
from tests.app.organizations.teams import add_member, add_team, membership_of, submit, text_of
from tests.databases import RolledBackDatabase


async def close(client: AsyncTestClient, db: AsyncSession) -> tuple[Organization, User]:
    """Ada's team with a member and an invitation, which she has closed."""
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper")
    await log_in(client)
    await submit(client, "/o/acme/invitations/new", emails="new@example.com", role="member")
    closed = await submit(client, "/o/acme/danger/delete", name="Acme")
    assert closed.headers["location"] == f"/organizations/{acme.id}/keep"
    return acme, ada


async def erase(database: RolledBackDatabase, settings: Settings) -> None:
    await get_job("organizations.erase").run(JobContext(settings, database), b"")


async def test_the_consequences_are_stated_in_counts_and_the_name_has_to_be_typed(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper")
    await log_in(client)
    await submit(client, "/o/acme/invitations/new", emails="a@example.com,b@example.com", role="member")

    page = text_of(await client.get("/o/acme/danger"))
    assert "2 members lose access at once." in page
    assert "2 unanswered invitations stop working." in page
    for name in ("", "acme", "Acme Ltd"):
        refused = await submit(client, "/o/acme/danger/delete", name=name)
        assert refused.status_code == 422
        assert "exactly as it is written" in refused.text
    assert (await client.get("/o/acme")).status_code == 200


async def test_a_closed_organization_is_shut_for_everybody_and_an_owner_keeps_it(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    acme, _ = await close(client, db)
    assert (await client.get("/o/acme")).status_code == 404
    assert "Acme" in (await client.get("/organizations")).text
    assert ("organizations/deletion_scheduled", "ada@example.com") in await templates_sent(db)
    link = (await mailed_link(db)).rstrip("?")
    page = await client.get(link)
    assert "Acme" in page.text
    client.cookies.clear()

    await log_in(client, "grace@example.com")
    assert (await client.get(link)).status_code == 404, "members cannot keep it"
    assert (await submit(client, link)).status_code == 404
    client.cookies.clear()
    await log_in(client)
    assert (await submit(client, link)).headers["location"] == "/o/acme"
    assert (await client.get("/o/acme")).status_code == 200
    assert ("organizations/deletion_cancelled", "ada@example.com") in await templates_sent(db)
    async with system_scope(db):
        assert (await db.get_one(Organization, acme.id)).delete_at is None


@pytest.mark.requirement("PRV-1")
async def test_after_two_weeks_it_is_erased_with_everything_in_it(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings
) -> None:
    acme, ada = await close(client, db)
    await erase(database, settings)
    assert await membership_of(db, acme, ada) is not None, "not before its time"

    with clock.travel(timedelta(days=14, seconds=1)):
        await erase(database, settings)
    assert await membership_of(db, acme, ada) is None
    assert ("organizations/deletion_done", "ada@example.com") in await templates_sent(db)
    async with system_scope(db):
        found = select(Organization.id).where(Organization.id == acme.id)
        assert await db.scalar(found) is None
        events = list(await db.scalars(select(AuditEvent).where(AuditEvent.organization_id == acme.id)))
        assert events
        assert {(event.target_label, event.changes, event.ip) for event in events} == {(None, None, None)}
    await log_in(client)
    assert (await client.get("/o/ada-lovelace")).status_code == 200


async def test_what_was_kept_is_not_erased(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings
) -> None:
    acme, ada = await close(client, db)
    await submit(client, f"/organizations/{acme.id}/keep")
    with clock.travel(timedelta(days=30)):
        await erase(database, settings)
    assert await membership_of(db, acme, ada) is not None
