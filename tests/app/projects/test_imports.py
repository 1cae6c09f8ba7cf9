"""Importing what a file says: by the worker, all or nothing, watched by whoever asked."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from httpx2 import Response
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.database import system_scope
from app.jobs.models import JobProgress
from app.jobs.registry import JobContext, get_job
from app.notifications.models import Notification
from app.organizations.models import Membership
from app.projects.jobs import IMPORTS_KEPT, forget_imports
from app.projects.models import ProjectImport
from app.publishing import RealtimeEvent
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.projects.starting import API, PROJECTS, check, confirm, events_of, projects_of, start
from tests.databases import RolledBackDatabase

Statements = Callable[[], AbstractContextManager[list[str]]]
MANY = "name\n" + "".join(f"Project {number}\n" for number in range(1000))


@pytest.fixture
async def ada(client: AsyncTestClient, db: AsyncSession) -> User:
    user = await add_person(db)
    await log_in(client)
    return user


async def ask(client: AsyncTestClient, content: str) -> str:
    """Have a file imported; returns the address of the page on which that is watched."""
    answer = await confirm(client, await check(client, content))
    assert answer.status_code == 303
    return f"{answer.headers['location']}"


async def work(settings: Settings, database: RolledBackDatabase, *, attempt: int = 1) -> None:
    """Do what a worker would with what is in the queue."""
    async with database.transaction() as db:
        payload = await db.scalar(text("SELECT payload FROM pgqueuer WHERE entrypoint = 'projects.import'"))
    await get_job("projects.import").run(JobContext(settings, database, attempt=attempt, attempts=4), payload)


async def waiting_imports(db: AsyncSession) -> list[ProjectImport]:
    async with system_scope(db):
        return list(await db.scalars(select(ProjectImport)))


async def kinds_told(db: AsyncSession) -> list[str]:
    return list(await db.scalars(select(Notification.kind)))


async def test_an_import_writes_projects_and_their_events(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, ada: User
) -> None:
    page = await ask(client, "name,status,lead,due_on\nBoat,Active,ada@example.com,2030-12-31\nAnchor,,,\n")
    assert await projects_of(db) == []
    await work(settings, database)

    anchor, boat = await projects_of(db)
    assert (boat.status, boat.lead_id, boat.created_by) == ("active", ada.id, ada.id)
    assert (f"{boat.due_on}", anchor.status) == ("2030-12-31", "planned")
    events = await events_of(db, "projects.created")
    assert [(event.target_label, event.actor_id, event.ip) for event in events] == [
        ("Boat", ada.id, "testclient"),
        ("Anchor", ada.id, "testclient"),
    ]
    shown = await client.get(page)
    assert "Done" in shown.text
    assert f'href="{PROJECTS}"' in shown.text
    assert await waiting_imports(db) == []


async def test_the_person_is_told_when_it_is_done(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, ada: User
) -> None:
    page = await ask(client, "name\nBoat\n")
    await work(settings, database)
    told = (await db.scalars(select(Notification))).one()

    assert "“Importing projects” is done." in (await client.get("/notifications")).text
    opened = await client.post(f"/notifications/{told.id}", data={"csrf_token": await csrf_token(client)})
    assert opened.headers["location"] == page


async def test_words_of_the_persons_language_are_understood_by_the_worker_too(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, ada: User
) -> None:
    ada.locale = "de"
    await db.flush()
    await ask(client, "name,status\nBoot,Aktiv\n")
    await work(settings, database)

    assert [each.status for each in await projects_of(db)] == ["active"]


async def test_a_thousand_projects_are_imported_by_few_statements_and_tell_how_far_they_are(
    client: AsyncTestClient,
    db: AsyncSession,
    settings: Settings,
    database: RolledBackDatabase,
    ada: User,
    statements: Statements,
) -> None:
    await ask(client, MANY)
    with statements() as executed:
        await work(settings, database)

    assert len(await projects_of(db)) == 1000
    assert len(executed) <= 110, "\n".join(each[:90] for each in executed)
    progress = (await db.scalars(select(JobProgress).execution_options(populate_existing=True))).one()
    assert (progress.state, progress.done, progress.total) == ("done", 1000, 1000)
    told = await db.scalars(select(RealtimeEvent.type).where(RealtimeEvent.topic == f"user:{ada.id}"))
    assert list(told).count("job.progressed") == 13


async def test_a_running_import_shows_how_far_it_is(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    page = await ask(client, "name\nBoat\n")
    await db.execute(update(JobProgress).values(state="running", done=300, total=1000))

    assert "300 of 1000" in (await client.get(page)).text


async def test_a_name_taken_while_the_import_waited_undoes_all_of_it_and_says_why(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, ada: User
) -> None:
    page = await ask(client, MANY)
    await start(db, ada, "project 999")
    await work(settings, database)

    assert [each.name for each in await projects_of(db)] == ["project 999"]
    assert await kinds_told(db) == ["jobs.failed"]
    shown = (await client.get(page)).text
    assert "since the file was checked" in shown
    assert "Go back" in shown
    assert await waiting_imports(db) == []


@pytest.mark.parametrize("change", [{"role": "member"}, {"status": "suspended"}])
async def test_whoever_may_not_import_any_more_imports_nothing(
    client: AsyncTestClient,
    db: AsyncSession,
    settings: Settings,
    database: RolledBackDatabase,
    ada: User,
    change: dict[str, str],
) -> None:
    await ask(client, "name\nBoat\n")
    async with system_scope(db):
        organization_id = (await waiting_imports(db))[0].organization_id
        other = await add_person(db, "Grace Hopper", "grace@example.com")
        db.add(Membership(organization_id=organization_id, user_id=other.id, role="owner"))
        await db.flush()
        of_ada = (Membership.organization_id == organization_id, Membership.user_id == ada.id)
        await db.execute(update(Membership).where(*of_ada).values(**change).execution_options(unrecorded="A test."))
    await work(settings, database)

    assert await projects_of(db) == []
    assert (await db.scalars(select(JobProgress.reason))).one() is not None


async def test_work_that_was_done_already_is_not_done_again(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, ada: User
) -> None:
    await ask(client, "name\nBoat\n")
    for _ in range(2):
        await work(settings, database)

    assert len(await projects_of(db)) == 1
    assert await kinds_told(db) == ["jobs.done"]


async def test_after_the_last_attempt_nothing_waits_any_more(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, ada: User
) -> None:
    page = await ask(client, "name\nBoat\n")
    # A row that no version of ours has written.
    async with system_scope(db):
        await db.execute(update(ProjectImport).values(rows=[{"title": "Boat"}]))
    with pytest.raises(ValueError, match="name"):
        await work(settings, database, attempt=4)

    assert "We tried several times" in (await client.get(page)).text
    assert await kinds_told(db) == ["jobs.failed"]
    assert await waiting_imports(db) == []


async def test_imports_of_long_ago_are_forgotten(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, ada: User
) -> None:
    await ask(client, "name\nBoat\n")
    await forget_imports(JobContext(settings, database))
    assert len(await waiting_imports(db)) == 1
    with clock.travel(IMPORTS_KEPT + timedelta(seconds=1)):
        await forget_imports(JobContext(settings, database))

    assert await waiting_imports(db) == []


async def send(client: AsyncTestClient, content: str, **headers: str) -> Response:
    sent = {"x-csrf-token": await csrf_token(client), **headers}
    return await client.post(f"{API}/imports", json={"text": content}, headers=sent)


async def test_programs_import_and_watch(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, ada: User
) -> None:
    accepted = await send(client, "name\nBoat\nShip\n")
    assert accepted.status_code == 202
    path = accepted.headers["location"]
    assert (await client.get(path)).json() == accepted.json()
    assert accepted.json()["state"] == "waiting"
    await work(settings, database)

    shown = (await client.get(path)).json()
    assert (shown["state"], shown["done"], shown["total"], shown["result_path"]) == ("done", 2, 2, PROJECTS)
    assert len(await projects_of(db)) == 2


async def test_programs_are_told_every_mistake(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    answer = await send(client, "name,status\nBoat,gone\n,active\n")
    assert answer.status_code == 422
    assert [error["detail"] for error in answer.json()["errors"]] == [
        "2: status: Choose one of the options.",
        "3: name: Enter a value.",
    ]
    for nothing in ("", "name\n", "title\nBoat\n", "name,lead\nBoat,\0\n"):
        assert (await send(client, nothing)).status_code == 422
    assert await waiting_imports(db) == []


async def test_an_import_with_a_key_that_is_sent_again_is_one(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    answers = [await send(client, "name\nBoat\n", **{"idempotency-key": "one"}) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len(await waiting_imports(db)) == 1
