"""The audit trail: what can be written, what can be read, and that nothing can be changed."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.audit.actions import record
from app.audit.models import LONGEST_USER_AGENT, AuditEvent, RequestFacts
from app.audit.queries import list_events, list_events_of_user
from app.config import Settings
from app.database import name_organization, system_scope, user_named
from core.requests import Request

ACME, OTHER, ADA = uuid4(), uuid4(), uuid4()
FACTS = RequestFacts(ip="203.0.113.7", user_agent="Tests/1.0", request_id="abc")


async def record_in(db: AsyncSession, organization_id: UUID) -> None:
    await name_organization(db, organization_id)
    await record(db, "members.invited", actor_id=uuid4(), organization_id=organization_id, request=FACTS)
    await db.flush()


async def test_an_event_keeps_who_did_what_to_whom_and_from_where(db: AsyncSession) -> None:
    await name_organization(db, ACME)
    target = uuid4()
    await record(
        db,
        "members.role_changed",
        actor_id=ADA,
        actor_label="Ada",
        organization_id=ACME,
        target_type="membership",
        target_id=target,
        target_label="Grace",
        changes={"role": ["member", "admin"]},
        request=FACTS,
    )
    await db.flush()
    db.expunge_all()

    [event] = await list_events(db, organization_id=ACME)

    assert (event.actor_type, event.actor_id, event.actor_label) == ("user", ADA, "Ada")
    assert (event.target_type, event.target_id, event.target_label) == ("membership", target, "Grace")
    assert event.changes == {"role": ["member", "admin"]}
    assert (event.ip, event.user_agent, event.request_id) == ("203.0.113.7", "Tests/1.0", "abc")


async def test_an_organization_sees_its_own_events_only(db: AsyncSession) -> None:
    await record_in(db, OTHER)
    await record_in(db, ACME)

    assert await db.scalar(select(func.count()).select_from(AuditEvent)) == 1
    assert await list_events(db, organization_id=OTHER) == []


async def test_an_event_cannot_be_written_into_an_organization_that_was_not_named(db: AsyncSession) -> None:
    await name_organization(db, ACME)
    await record(db, "members.invited", actor_id=ADA, organization_id=OTHER, request=FACTS)

    with pytest.raises(DBAPIError, match="row-level security"):
        await db.flush()


async def test_a_log_in_belongs_to_no_organization_and_is_shown_to_its_person_only(db: AsyncSession) -> None:
    await record(db, "accounts.logged_in", actor_id=ADA, request=FACTS)
    await db.flush()
    assert await list_events_of_user(db, user_id=ADA) == []

    await db.execute(select(user_named(ADA)))
    assert [event.action for event in await list_events_of_user(db, user_id=ADA)] == ["accounts.logged_in"]


async def test_what_nobody_did_was_done_by_the_system(db: AsyncSession) -> None:
    event = await record(db, "accounts.swept", actor_id=None, request=RequestFacts())

    assert event.actor_type == "system"


@pytest.mark.parametrize("statement", ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events"])
@pytest.mark.requirement("AUD-1")
async def test_the_application_may_not_change_an_event(db: AsyncSession, statement: str) -> None:
    async with system_scope(db):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with db.begin_nested():
                await db.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"],
)
@pytest.mark.requirement("AUD-1")
async def test_not_even_the_owner_changes_an_event_by_mistake(settings: Settings, statement: str) -> None:
    engine = create_async_engine(settings.database_owner_url)
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="audit_events is append-only"):
            await connection.execute(text(statement))
    await engine.dispose()


async def test_the_facts_of_a_request_hold_no_control_characters_and_no_novel() -> None:
    said = "Browser\x1b[31m\t" + "x" * 1000
    request = Request({"type": "http", "headers": [(b"user-agent", said.encode())], "client": ("203.0.113.7", 1)})

    facts = RequestFacts.of(request)

    assert facts.ip == "203.0.113.7"
    assert facts.user_agent is not None
    assert facts.user_agent.startswith("Browser[31mxxx")
    assert len(facts.user_agent) <= LONGEST_USER_AGENT
