"""What becomes of the projects that a member answers for when they are removed."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.database import system_scope
from app.features import shell_parts
from app.projects.models import Project
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, organization_of
from tests.app.organizations.teams import events_of, membership_of, submit, text_of
from tests.app.projects.starting import add_member, start

Statements = Callable[[], AbstractContextManager[list[str]]]
MEMBERS = "/o/ada-lovelace/members"
API = "/api/v1/organizations/ada-lovelace/members"


@pytest.fixture
async def people(client: AsyncTestClient, db: AsyncSession) -> tuple[User, User, User]:
    """Ada, who is logged in, Grace, who leads two projects of hers, and Mary."""
    ada = await add_person(db)
    grace, mary = await add_member(db, ada), await add_member(db, ada, "Mary Somerville")
    for name in ("Engine", "Compiler"):
        await start(db, ada, name, lead_id=grace.id)
    await log_in(client)
    return ada, grace, mary


async def leads(db: AsyncSession) -> list[tuple[object, int]]:
    statement = select(Project).order_by(Project.name).execution_options(populate_existing=True)
    async with system_scope(db):
        return [(project.lead_id, project.version) for project in await db.scalars(statement)]


async def test_whoever_removes_a_member_chooses_who_takes_over_their_projects(
    client: AsyncTestClient, db: AsyncSession, people: tuple[User, User, User], statements: Statements
) -> None:
    ada, grace, mary = people
    await client.get(MEMBERS)
    with statements() as executed:
        page = await client.get(f"{MEMBERS}/{grace.id}/remove")
    assert len(executed) <= 5 + len(shell_parts()), "\n".join(executed)
    assert "They answer for: 2 projects" in text_of(page)
    assert f'<option value="{mary.id}"' in page.text
    assert f'<option value="{grace.id}"' not in page.text

    assert (await submit(client, f"{MEMBERS}/{grace.id}/remove", successor_id=str(mary.id))).status_code == 303
    assert await leads(db) == [(mary.id, 2), (mary.id, 2)]
    events = await events_of(db, await organization_of(db, ada), "projects.changed")
    assert [event.changes for event in events] == [{"lead_id": [str(grace.id), str(mary.id)]}] * 2


async def test_with_nobody_chosen_nobody_answers_for_them(
    client: AsyncTestClient, db: AsyncSession, people: tuple[User, User, User]
) -> None:
    _ada, grace, mary = people
    assert "They answer for" not in (await client.get(f"{MEMBERS}/{mary.id}/remove")).text
    assert (await submit(client, f"{MEMBERS}/{grace.id}/remove", successor_id="")).status_code == 303
    assert [lead for lead, _version in await leads(db)] == [None, None]


async def test_only_another_active_member_takes_over(
    client: AsyncTestClient, db: AsyncSession, people: tuple[User, User, User]
) -> None:
    ada, grace, _mary = people
    idle = await add_member(db, ada, "Ivo", status="suspended")
    stranger = await add_person(db, "Linus", "linus@example.com")
    for successor, status in ((stranger, 404), (idle, 303), (grace, 303)):
        refused = await submit(client, f"{MEMBERS}/{grace.id}/remove", successor_id=str(successor.id))
        assert refused.status_code == status
    assert "Choose another active member to take over." in (await client.get(MEMBERS)).text
    assert await membership_of(db, await organization_of(db, ada), grace) is not None
    assert [lead for lead, _version in await leads(db)] == [grace.id, grace.id]


async def test_programs_name_who_takes_over(
    client: AsyncTestClient, db: AsyncSession, people: tuple[User, User, User]
) -> None:
    _ada, grace, mary = people
    headers = {"x-csrf-token": await csrf_token(client)}
    refused = await client.delete(f"{API}/{grace.id}?successor_id={grace.id}", headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert (await client.delete(f"{API}/{grace.id}?successor_id={mary.id}", headers=headers)).status_code == 204
    assert [lead for lead, _version in await leads(db)] == [mary.id, mary.id]
