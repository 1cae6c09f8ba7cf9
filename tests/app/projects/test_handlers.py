"""The pages of projects: what they show, what they change, and for whom."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import system_scope
from app.organizations.models import Membership
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in, organization_of
from tests.app.projects.starting import (
    PROJECTS,
    add_member,
    events_of,
    projects_of,
    start,
    start_many,
    submit,
)

Statements = Callable[[], AbstractContextManager[list[str]]]


def listed(page: str) -> list[str]:
    """The names in the list, in order."""
    return re.findall(r'<th scope="row"[^>]*><a href="[^"]+">([^<]+)</a>', page)


async def test_a_list_without_projects_says_what_they_are_and_how_to_begin(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)
    page = (await client.get(PROJECTS)).text

    assert "No projects yet" in page
    assert f'href="{PROJECTS}/new"' in page
    assert 'href="/api/docs?q=projects"' in page


async def test_a_project_is_started_shown_and_noted(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    await log_in(client)
    fields = {"name": "A <new> boat", "description": "Oak.\r\nNot tar.", "status": "active", "due_on": "2030-12-31"}
    answer = await submit(client, f"{PROJECTS}/new", **fields, lead_id=str(ada.id))

    assert answer.status_code == 303
    page = (await client.get(answer.headers["location"])).text
    assert "A &lt;new&gt; boat is started." in page
    assert "Oak.\nNot tar." in page
    assert "Dec 31, 2030" in page
    (event,) = await events_of(db, "projects.created")
    assert event.target_label == "A <new> boat"
    assert event.changes == {
        "name": [None, "A <new> boat"],
        "description": [None, "Oak.\nNot tar."],
        "status": [None, "active"],
        "lead_id": [None, str(ada.id)],
        "due_on": [None, "2030-12-31"],
    }


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Enter a value."),
        ("name", "x" * 101, "Use at most 100 characters."),
        ("name", "a\x00b", "Remove the control characters"),
        ("description", "a\x1bb", "Remove the control characters."),
        ("description", "x" * 2001, "Use at most 2000 characters."),
        ("status", "abandoned", "Choose one of the options."),
        ("due_on", "31.12.2030", "Enter a day as year, month and day"),
        ("due_on", "0001-01-01", "Enter a day between 1900 and 2199."),
        ("lead_id", "00000000-0000-4000-8000-000000000000", "Choose an active member"),
        ("name", "the OLD boat", "Another project has this name."),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_the_rest_is_kept(
    client: AsyncTestClient, db: AsyncSession, field: str, value: str, message: str
) -> None:
    ada = await add_person(db)
    await start(db, ada, "The old boat")
    await log_in(client)
    answer = await submit(client, f"{PROJECTS}/new", **{"name": "New", "description": "As typed", field: value})

    assert answer.status_code == 422
    assert message in answer.text
    assert f'id="field-{field}-error"' in answer.text
    assert field == "description" or "As typed" in answer.text
    assert len(await projects_of(db)) == 1


async def test_only_active_members_can_lead(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    suspended = await add_member(db, ada, status="suspended")
    stranger = await add_person(db, "Mary Somerville", "mary@example.com")
    await log_in(client)

    for person in (suspended, stranger):
        answer = await submit(client, f"{PROJECTS}/new", name="Boat", lead_id=str(person.id))
        assert answer.status_code == 422
    assert person.name not in (await client.get(f"{PROJECTS}/new")).text


async def test_a_lead_who_leaves_leads_no_more(db: AsyncSession) -> None:
    ada = await add_person(db)
    grace = await add_member(db, ada)
    await start(db, ada, "Boat", lead_id=grace.id)
    organization = await organization_of(db, ada)
    async with system_scope(db):
        await db.execute(delete(Membership).filter_by(organization_id=organization.id, user_id=grace.id))

    (project,) = await projects_of(db)
    assert (project.lead_id, project.organization_id) == (None, organization.id)


# The list


async def test_the_list_is_searched_and_filtered_by_its_address(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    grace = await add_member(db, ada)
    await start(db, ada, "Rudder", status="active", lead_id=grace.id)
    await start(db, ada, "Sails 100%", description="Linen and a RUDDER_cloth")
    await start(db, ada, "Anchor", status="active")
    await log_in(client)

    async def found(query: str) -> list[str]:
        return listed((await client.get(f"{PROJECTS}?{query}")).text)

    assert await found("") == ["Anchor", "Sails 100%", "Rudder"]
    assert await found("search=rudder&sort=name") == ["Rudder", "Sails 100%"]
    assert await found("search=100%25") == ["Sails 100%"]
    assert await found("search=r_c") == ["Sails 100%"]
    assert await found("status=active&sort=name") == ["Anchor", "Rudder"]
    assert await found(f"lead={grace.id}&status=&search=&sort=-created") == ["Rudder"]
    page = (await client.get(f"{PROJECTS}?search=keel&status=done")).text
    assert "Nothing matches" in page
    assert "Clear filters" in page
    assert 'value="keel"' in page


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["Anchor", "keel", "Rudder", "Sails"]),
        ("-name", ["Sails", "Rudder", "keel", "Anchor"]),
        ("created", ["Rudder", "Sails", "Anchor", "keel"]),
        ("-created", ["keel", "Anchor", "Sails", "Rudder"]),
        ("due", ["Anchor", "Rudder", "Sails", "keel"]),
        ("-due", ["keel", "Sails", "Rudder", "Anchor"]),
        ("status", ["Rudder", "Sails", "keel", "Anchor"]),
        ("-status", ["Anchor", "keel", "Sails", "Rudder"]),
    ],
)
@pytest.mark.requirement("API-4")
async def test_every_order_is_the_same_in_one_page_and_in_many(
    client: AsyncTestClient, db: AsyncSession, sort: str, expected: list[str]
) -> None:
    ada = await add_person(db)
    await start(db, ada, "Rudder", status="planned", due_on=date(2030, 2, 1))
    await start(db, ada, "Sails", status="active", due_on=date(2030, 3, 1))
    await start(db, ada, "Anchor", status="done", due_on=date(2030, 1, 1))
    await start(db, ada, "keel", status="paused")
    await log_in(client)

    assert listed((await client.get(f"{PROJECTS}?sort={sort}")).text) == expected
    seen: list[str] = []
    path = f"{PROJECTS}?sort={sort}&limit=1"
    while path and len(seen) <= len(expected):
        page = (await client.get(path)).text
        seen += listed(page)
        following = re.search(r'href="([^"]+)"><span>Next page', page)
        path = following[1].replace("&amp;", "&") + "&limit=1" if following else ""
    assert seen == expected


@pytest.mark.parametrize("query", ["sort=secret", "sort=name%3B", "status=gone", "lead=me", "limit=101", "page=2"])
@pytest.mark.requirement("API-4")
async def test_orders_and_filters_that_there_are_not_are_refused(
    client: AsyncTestClient, db: AsyncSession, query: str
) -> None:
    await add_person(db)
    await log_in(client)
    assert (await client.get(f"{PROJECTS}?{query}")).status_code == 422


async def test_the_list_takes_as_many_statements_for_many_projects_as_for_few(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    grace = await add_member(db, ada)
    await start(db, ada, "Boat", lead_id=grace.id)
    await log_in(client)
    with statements() as few:
        await client.get(PROJECTS)
    await start_many(db, ada, 500)
    with statements() as many:
        page = await client.get(f"{PROJECTS}?limit=100&sort=due&status=active")

    assert page.status_code == 200
    assert len(many) == len(few) <= 6, "\n".join(many)


async def test_a_project_takes_six_statements(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    project = await start(db, await add_person(db), "Boat")
    await log_in(client)
    with statements() as executed:
        page = await client.get(f"{PROJECTS}/{project.id}")

    assert page.status_code == 200
    assert len(executed) <= 6, "\n".join(executed)


# Changing


async def test_a_change_is_saved_and_noted_with_what_was_before(client: AsyncTestClient, db: AsyncSession) -> None:
    project = await start(db, await add_person(db), "Boat", due_on=date(2030, 1, 1))
    await log_in(client)
    path = f"{PROJECTS}/{project.id}"
    assert 'name="version" value="1"' in (await client.get(f"{path}/edit")).text
    answer = await submit(client, f"{path}/edit", name="Ship", status="paused", version="1")

    assert (answer.status_code, answer.headers["location"]) == (303, path)
    (event,) = await events_of(db, "projects.changed")
    assert event.changes == {
        "name": ["Boat", "Ship"],
        "status": ["planned", "paused"],
        "due_on": ["2030-01-01", None],
    }
    page = (await client.get(path)).text
    assert "Your changes are saved." in page
    assert "Boat → Ship" in re.sub(r"\s+", " ", page)


async def test_saving_what_is_there_already_is_no_change(client: AsyncTestClient, db: AsyncSession) -> None:
    project = await start(db, await add_person(db), "Boat")
    await log_in(client)
    await submit(client, f"{PROJECTS}/{project.id}/edit", name="Boat", version="1")

    assert await events_of(db, "projects.changed") == []
    assert (await projects_of(db))[0].version == 1


async def test_who_saves_what_somebody_else_has_changed_meanwhile_sees_both(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    project = await start(db, await add_person(db), "Boat")
    await log_in(client)
    path = f"{PROJECTS}/{project.id}/edit"
    await submit(client, path, name="Their ship", version="1")
    conflict = await submit(client, path, name="My ship", description="Mine", version="1")

    assert conflict.status_code == 409
    assert "Somebody else has changed this project in the meantime." in conflict.text
    assert conflict.text.count("Their ship") >= 2
    assert 'value="My ship"' in conflict.text
    assert 'name="version" value="2"' in conflict.text
    assert (await projects_of(db))[0].name == "Their ship"

    assert (await submit(client, path, name="My ship", description="Mine", version="2")).status_code == 303
    assert (await projects_of(db))[0].name == "My ship"


async def test_a_name_that_is_taken_meanwhile_is_refused_when_it_is_saved(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    await start(db, ada, "Boat")
    project = await start(db, ada, "Ship")
    await log_in(client)
    answer = await submit(client, f"{PROJECTS}/{project.id}/edit", name="BOAT", version="1")

    assert answer.status_code == 422
    assert "Another project has this name." in answer.text


async def test_the_status_of_several_projects_is_changed_at_once(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    ids = [str((await start(db, ada, name)).id) for name in ("Anchor", "Boat", "Cable")]
    stranger = await add_person(db, "Mary Somerville", "mary@example.com")
    foreign = await start(db, stranger, "Foreign")
    await log_in(client)
    path = f"{PROJECTS}/status?sort=name&status=planned"
    answer = await submit(client, path, ids=[*ids[:2], str(foreign.id)], status="done")

    assert (answer.status_code, answer.headers["location"]) == (303, f"{PROJECTS}?status=planned&sort=name")
    assert "2 projects are now: Done." in (await client.get(PROJECTS)).text
    assert [each.status for each in await projects_of(db)] == ["done", "done", "planned", "planned"]
    assert [event.changes for event in await events_of(db, "projects.changed")] == [{"status": ["planned", "done"]}] * 2


async def test_changing_nothing_at_once_says_what_to_choose(client: AsyncTestClient, db: AsyncSession) -> None:
    await start(db, await add_person(db), "Boat")
    await log_in(client)
    await submit(client, f"{PROJECTS}/status", status="done")

    assert "Choose the projects that you want to change" in (await client.get(PROJECTS)).text


# Deleting


async def test_deleting_is_undone_by_the_button_in_the_message(client: AsyncTestClient, db: AsyncSession) -> None:
    project = await start(db, await add_person(db), "Boat")
    await log_in(client)
    path = f"{PROJECTS}/{project.id}"
    answer = await submit(client, f"{path}/delete")

    assert (answer.status_code, answer.headers["location"]) == (303, PROJECTS)
    page = (await client.get(PROJECTS)).text
    assert "Boat is deleted." in page
    assert f'action="{path}/restore"' in page
    assert listed(page) == []
    assert (await client.get(path)).status_code == 404
    assert "Boat" in (await client.get(f"{PROJECTS}/deleted")).text

    answer = await submit(client, f"{path}/restore")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "Boat is back." in (await client.get(path)).text
    assert len(await events_of(db, "projects.deleted")) == len(await events_of(db, "projects.restored")) == 1


async def test_a_deleted_project_does_not_come_back_over_one_that_has_its_name_now(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    project = await start(db, ada, "Boat")
    await log_in(client)
    await submit(client, f"{PROJECTS}/{project.id}/delete")
    await start(db, ada, "boat")
    answer = await submit(client, f"{PROJECTS}/{project.id}/restore")

    assert answer.headers["location"] == f"{PROJECTS}/deleted"
    assert "Another project has this name." in (await client.get(f"{PROJECTS}/deleted")).text


# Who may what


@pytest.mark.requirement("TEN-2", "TEN-5")
async def test_other_peoples_projects_and_missing_ones_are_the_same_404(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    foreign = await start(db, await add_person(db, "Mary Somerville", "mary@example.com"), "Secret boat")
    await log_in(client)
    ids = (str(foreign.id), "00000000-0000-4000-8000-000000000000")
    for page in ("", "/edit"):
        answers = [await client.get(f"{PROJECTS}/{id}{page}") for id in ids]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert "Secret" not in answers[0].text
    for form in ("/edit", "/delete", "/restore"):
        answers = [await submit(client, f"{PROJECTS}/{id}{form}", name="Mine", version="1") for id in ids]
        assert [answer.status_code for answer in answers] == [404, 404]
    # A name that is taken elsewhere is free here.
    assert (await submit(client, f"{PROJECTS}/new", name="Secret boat")).status_code == 303


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 303), (Role.ADMIN, 303), (Role.MEMBER, 403)])
async def test_members_work_on_projects_and_admins_delete_them(
    client: AsyncTestClient, db: AsyncSession, role: Role, status: int
) -> None:
    ada = await add_person(db)
    project = await start(db, ada, "Boat")
    await add_member(db, ada, role=role)
    await log_in(client, "grace@example.com")
    path = f"{PROJECTS}/{project.id}"

    assert (await submit(client, f"{path}/edit", name="Ship", version="1")).status_code == 303
    page = (await client.get(path)).text
    assert (f'action="{path}/delete"' in page) is (status == 303)
    assert (await submit(client, f"{path}/delete")).status_code == status
    assert (await client.get(f"{PROJECTS}/import")).status_code == (200 if status == 303 else 403)


async def test_the_pages_speak_german(client: AsyncTestClient, db: AsyncSession) -> None:
    project = await start(db, await add_person(db), "Boot", due_on=date(2030, 12, 31))
    await log_in(client)
    headers = {"accept-language": "de"}

    assert "31.12.2030" in (await client.get(PROJECTS, headers=headers)).text
    assert "Geplant" in (await client.get(f"{PROJECTS}/{project.id}", headers=headers)).text
