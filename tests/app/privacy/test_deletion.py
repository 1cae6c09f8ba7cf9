"""Leaving: what stands in the way, two weeks to think, then nothing is left."""

from datetime import timedelta

import pytest
from httpx2 import Response
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, Session, User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import Base, Database, system_scope
from app.features import import_models
from app.jobs.registry import JobContext
from app.main import create_app
from app.organizations.models import Membership, Organization
from app.privacy.jobs import erase_accounts
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, mailed_link, organization_of, templates_sent
from tests.databases import RolledBackDatabase

MARKER = "Zyxomma"
ADDRESS = "zyxomma@example.com"
AFTER = timedelta(days=14, minutes=1)


@pytest.fixture
async def leaver(client: AsyncTestClient, db: AsyncSession) -> User:
    user = await add_person(db, MARKER, ADDRESS)
    await log_in(client, ADDRESS)
    return user


async def leave(client: AsyncTestClient, typed: str = ADDRESS) -> Response:
    return await client.post("/account/delete", data={"email": typed, "csrf_token": await csrf_token(client)})


async def status(db: AsyncSession) -> str | None:
    return await db.scalar(select(User.status))


async def join(db: AsyncSession, organization: Organization, user: User, role: str) -> None:
    async with system_scope(db):
        db.add(Membership(organization_id=organization.id, user_id=user.id, role=role))


async def test_the_page_says_what_happens_in_numbers(client: AsyncTestClient, db: AsyncSession, leaver: User) -> None:
    other = await add_person(db, "Grace Hopper", "grace@example.com")
    await join(db, await organization_of(db, other), leaver, "member")
    page = (await client.get("/account/delete")).text

    assert "One organization that has nobody else is deleted" in page
    assert "You leave one organization" in page
    assert f"Type {ADDRESS} to confirm." in page


async def test_the_sole_owner_of_a_team_is_told_which(client: AsyncTestClient, db: AsyncSession, leaver: User) -> None:
    other = await add_person(db, "Grace Hopper", "grace@example.com")
    team = await organization_of(db, leaver)
    await join(db, team, other, "admin")
    page = (await client.get("/account/delete")).text
    assert "First hand over or delete these organizations" in page
    assert f"/o/{team.slug}/members" in page

    assert (await leave(client)).status_code == 422
    assert await db.scalar(select(User.status).where(User.id == leaver.id)) == "active"


async def test_the_address_must_be_typed_and_who_it_is_proved(
    client: AsyncTestClient, db: AsyncSession, leaver: User
) -> None:
    assert (await leave(client, "somebody@example.com")).status_code == 422
    with clock.travel(timedelta(minutes=16)):
        assert (await leave(client)).status_code in (303, 403)
    assert await status(db) == "active"


@pytest.mark.requirement("AUT-6", "AUT-7")
async def test_closing_ends_every_session_and_tells_by_mail(
    client: AsyncTestClient, db: AsyncSession, leaver: User
) -> None:
    response = await leave(client)
    assert (response.status_code, response.headers["location"]) == (303, "/log-in")
    assert "clear-site-data" in response.headers
    assert await status(db) == "deleting"
    assert await db.scalar(select(func.count()).select_from(Session).where(Session.revoked_at.is_(None))) == 0
    assert ("privacy/deletion_scheduled", ADDRESS) in await templates_sent(db)


async def test_logging_in_keeps_the_account(client: AsyncTestClient, db: AsyncSession, leaver: User) -> None:
    await leave(client)
    with clock.travel(timedelta(days=13)):
        assert (await log_in(client, ADDRESS)).status_code == 303
        assert (await client.get("/account/profile")).status_code == 200
    assert await status(db) == "active"
    assert ("privacy/deletion_cancelled", ADDRESS) in await templates_sent(db)


@pytest.mark.requirement("TOK-2")
async def test_the_mailed_link_keeps_the_account_once(client: AsyncTestClient, db: AsyncSession, leaver: User) -> None:
    await leave(client)
    link = await mailed_link(db, ADDRESS)
    page = await client.get(link, follow_redirects=True)
    assert ("Keep the account" in page.text, await status(db)) == (True, "deleting")
    token = link.partition("token=")[2]
    assert (await client.post("/account/keep", data={"token": token + "0"})).status_code == 410
    assert (await client.post("/account/keep", data={"token": token})).status_code == 303
    assert await status(db) == "active"
    assert (await client.post("/account/keep", data={"token": token})).status_code == 410
    await log_in(client, ADDRESS)
    with clock.travel(timedelta(seconds=1)):
        await leave(client)
    client.cookies.clear()
    assert (await client.post("/account/keep", data={"token": token})).status_code == 410


async def test_nothing_is_deleted_a_minute_too_early(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings, leaver: User
) -> None:
    await leave(client)
    with clock.travel(timedelta(days=13, hours=23, minutes=59)):
        await erase_accounts(JobContext(settings, database))
    assert await status(db) == "deleting"


@pytest.mark.requirement("PRV-1")
async def test_afterwards_no_table_holds_a_trace(fresh_database: Database, settings: Settings) -> None:
    app = create_app(settings, database=fresh_database)
    async with fresh_database.transaction() as db:
        user = await add_person(db, MARKER, ADDRESS)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        agent = {"user-agent": f"{MARKER}/1.0"}
        await client.post("/log-in", data={"email": ADDRESS, "password": "not this one at all"}, headers=agent)
        await log_in(client, ADDRESS)
        token = await csrf_token(client)
        await client.post("/account/profile", data={"name": f"{MARKER} II", "theme": "dark", "csrf_token": token})
        await client.post("/account/emails/add", data={"email": f"{MARKER}@example.org", "csrf_token": token})
        await client.post("/account/export", data={"csrf_token": token})
        await leave(client)
    assert await traces(fresh_database) > {"users", "emails", "audit_events", "email_messages", "organizations"}
    with clock.travel(AFTER):
        await erase_accounts(JobContext(settings, fresh_database))

    # The last message is delivered, and forgotten with all others of its age.
    assert await traces(fresh_database) <= {"email_messages"}
    async with fresh_database.transaction() as db:
        assert [each[0] for each in await templates_sent(db)] == ["privacy/deletion_done"]
        async with system_scope(db):
            events = (await db.scalars(select(AuditEvent).where(AuditEvent.actor_id == user.id))).all()
    assert {"accounts.logged_in", "privacy.deletion_scheduled"} <= {event.action for event in events}
    assert {(event.actor_label, event.target_label, event.ip, event.user_agent) for event in events} == {(None,) * 4}


async def traces(database: Database) -> set[str]:
    """The tables in whose rows the marker occurs, whatever its case."""
    import_models()
    async with database.transaction() as db, system_scope(db):
        found = set()
        for name in [*Base.metadata.tables, "pgqueuer", "pgqueuer_log"]:
            query = f'SELECT count(*) FROM "{name}" AS each WHERE each::text ILIKE :marker'  # noqa: S608 (our own names)
            if await db.scalar(text(query), {"marker": f"%{MARKER}%"}):
                found.add(name)
    return found


async def test_what_others_did_keeps_its_names(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings, leaver: User
) -> None:
    await add_person(db, "Grace Hopper", "grace@example.com")
    await leave(client)
    with clock.travel(AFTER):
        await erase_accounts(JobContext(settings, database))
    async with system_scope(db):
        labels = set(await db.scalars(select(AuditEvent.actor_label).execution_options(populate_existing=True)))
    assert labels == {None, "Grace Hopper"}
    assert (await db.scalars(select(Email.address))).all() == ["grace@example.com"]


async def test_an_organization_that_lost_its_other_owner_meanwhile_goes_to_whoever_is_next(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings, leaver: User
) -> None:
    await leave(client)
    heir = await add_person(db, "Grace Hopper", "grace@example.com")
    team = await organization_of(db, leaver)
    await join(db, team, heir, "member")
    with clock.travel(AFTER):
        await erase_accounts(JobContext(settings, database))
    async with system_scope(db):
        statement = select(Membership.role).where(Membership.organization_id == team.id)
        assert (await db.scalars(statement)).all() == ["owner"]


async def test_the_application_may_not_change_the_audit_trail_by_the_same_setting(
    db: AsyncSession, leaver: User
) -> None:
    await db.execute(text("SELECT set_config('app.forgetting', 'on', true)"))
    with pytest.raises(Exception, match="permission denied"):
        await db.execute(text("UPDATE audit_events SET ip = NULL"))
