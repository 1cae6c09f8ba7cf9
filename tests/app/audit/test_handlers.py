"""The audit log of an organization: searched, read in full, and taken along."""

import csv
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app import clock
from app.audit.actions import record
from app.audit.models import AuditEvent, RequestFacts
from app.audit.retention import forget_events
from app.config import Settings
from app.database import Database, name_organization, system_scope
from app.ids import uuid7
from app.organizations.models import Organization
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.app.organizations.teams import add_member, add_team, events_of, text_of

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
async def acme(client: AsyncTestClient, db: AsyncSession) -> Organization:
    """A team of Ada's, who is logged in."""
    acme = await add_team(db, await add_person(db))
    await log_in(client)
    return acme


async def happen(db: AsyncSession, acme: Organization, action: str, **values: object) -> AuditEvent:
    async with system_scope(db):
        given = {"actor_id": uuid7(), "actor_label": "Grace", "request": RequestFacts(ip="203.0.113.9"), **values}
        event = await record(db, action, organization_id=acme.id, **given)  # type: ignore[arg-type] # whatever record() takes
        await db.flush()
    return event


async def test_the_log_is_searched_by_who_what_whom_and_through_what(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    target = {"target_type": "user", "target_id": uuid7(), "target_label": "Mary"}
    await happen(db, acme, "members.removed", **target)
    await happen(db, acme, "members.suspended", actor_label="Charles", **target)
    await happen(db, acme, "files.swept", actor_id=None, actor_label=None)

    async def found(query: str) -> list[str]:
        items = (await client.get(f"/api/v1/organizations/acme/audit-events?{query}")).json()["items"]
        return [item["action"] for item in items]

    assert await found("") == ["files.swept", "members.suspended", "members.removed", "organizations.created"]
    assert await found("who=charl") == ["members.suspended"]
    assert await found("who=%25") == []
    assert await found("action=members") == ["members.suspended", "members.removed"]
    assert await found("action=members.removed&target=mar") == ["members.removed"]
    assert await found("through=job") == ["files.swept"]
    assert await found("through=token") == []
    today = f"{clock.now():%Y-%m-%d}"
    assert len(await found(f"since={today}&until={today}")) == 4
    assert len(await found("since=0001-01-01&until=9999-12-31")) == 4
    assert await found("until=2000-01-01") == []
    assert (await client.get("/api/v1/organizations/acme/audit-events?through=magic")).status_code == 422


@pytest.mark.requirement("API-4")
async def test_the_log_comes_in_pages_by_few_statements(
    client: AsyncTestClient, db: AsyncSession, acme: Organization, statements: Statements
) -> None:
    for _ in range(3):
        await happen(db, acme, "members.removed")
    with statements() as executed:
        first = await client.get("/o/acme/audit?limit=2&action=members")

    assert len(executed) <= 4, "\n".join(executed)
    assert text_of(first).count("Grace removed") == 2
    following = first.text.partition("Next page")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    second = await client.get(following)
    assert text_of(second).count("Grace removed") == 1
    assert "Next page" not in second.text


async def test_an_event_shows_what_was_before_and_is_after(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    event = await happen(
        db, acme, "roles.changed", changes={"name": ["Old <b>", "New"], "permissions": [["a", "b"], None]}
    )
    page = await client.get(f"/o/acme/audit/{event.id}")

    assert "<del>Old &lt;b&gt;</del>" in page.text
    assert "<ins>New</ins>" in page.text
    assert "<del>a, b</del>" in page.text
    assert "203.0.113.9" in page.text


@pytest.mark.requirement("AUD-1")
async def test_the_file_has_what_the_filter_asks_for_and_no_formula(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    await happen(db, acme, "members.removed", actor_label='=HYPERLINK("http://evil")')
    await happen(db, acme, "members.joined")
    answer = await client.get("/o/acme/audit/export?action=members.removed")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-acme-')
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["action"], row["actor"]) == ("members.removed", '\'=HYPERLINK("http://evil")')
    [event] = await events_of(db, acme, "audit.exported")
    assert event.changes == {"action": [None, "members.removed"]}


async def test_ordinary_members_do_not_see_the_log(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    await add_member(db, acme, "Grace Hopper")
    client.cookies.clear()
    await log_in(client, "grace@example.com")

    assert (await client.get("/o/acme/audit")).status_code == 403
    assert "/o/acme/audit" not in (await client.get("/o/acme")).text


@pytest.mark.requirement("AUD-1")
async def test_only_events_that_are_old_enough_are_forgotten_whatever_is_asked_for(
    fresh_database: Database, settings: Settings
) -> None:
    acme, now = uuid7(), clock.now()
    async with fresh_database.transaction() as db:
        await name_organization(db, acme)
        for days in (0, 89, 91, 800):
            event = await record(db, "members.joined", actor_id=None, organization_id=acme, request=RequestFacts())
            event.created_at = now - timedelta(days=days)
    async with fresh_database.transaction() as db:
        assert await forget_events(db, before=now - timedelta(days=730)) == 1
        assert await forget_events(db, before=now + timedelta(days=1)) == 1
        assert await forget_events(db, before=now + timedelta(days=1)) == 0
        await name_organization(db, acme)
        assert await db.scalar(text("SELECT count(*) FROM audit_events")) == 2

    address = settings.database_owner_url.rpartition("/")[0] + f"/{fresh_database.engine.url.database}"
    owner = create_async_engine(address)
    async with owner.begin() as connection:
        for name in ("app.system", "app.forgetting"):
            await connection.execute(text(f"SELECT set_config('{name}', 'on', true)"))
        assert (await connection.execute(text("DELETE FROM audit_events"))).rowcount == 0
    await owner.dispose()
