"""Projects for programs: the pages' rules, versions, and requests that are sent again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Base, system_scope
from app.idempotency import KEPT, forget_keys
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.projects.starting import API, add_member, events_of, projects_of, start, start_many

Statements = Callable[[], AbstractContextManager[list[str]]]


async def send(client: AsyncTestClient, method: str, path: str, body: Any = None, **headers: str) -> Response:
    """Send JSON as a page's script does."""
    sent = {
        "x-csrf-token": await csrf_token(client),
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    return await client.request(method, path, json=body, headers=sent)


async def test_a_project_is_started_shown_changed_deleted_and_restored(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    await log_in(client)
    made = await send(client, "POST", API, {"name": "Boat", "lead_id": str(ada.id), "due_on": "2030-12-31"})

    assert made.status_code == 201
    assert made.json()["lead"] == {"user_id": str(ada.id), "name": "Ada Lovelace"}
    path = made.headers["location"]
    shown = await client.get(path)
    assert (shown.json(), shown.headers["etag"]) == (made.json(), '"1"')
    changed = await send(client, "PATCH", path, {"name": "Ship", "lead_id": None}, if_match='"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (changed.json()["name"], changed.json()["lead"], changed.json()["due_on"]) == ("Ship", None, "2030-12-31")
    assert (await send(client, "DELETE", path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    restored = await send(client, "POST", f"{path}/restore")
    assert (restored.status_code, restored.json()["name"]) == (200, "Ship")
    assert len(await events_of(db, "projects.changed")) == 1


async def test_a_change_names_the_version_that_it_was_made_from(client: AsyncTestClient, db: AsyncSession) -> None:
    path = f"{API}/{(await start(db, await add_person(db), 'Boat')).id}"
    await log_in(client)
    assert (await send(client, "PATCH", path, {"name": "Ship"})).status_code == 428
    assert (await send(client, "PATCH", path, {"name": "Ship"}, if_match='"7", "8"')).status_code == 412
    assert (await send(client, "DELETE", path, if_match='"7"')).status_code == 412
    assert (await send(client, "PATCH", path, {"name": "Ship"}, if_match='"7", "1"')).status_code == 200
    assert (await send(client, "PATCH", path, {"name": "Yacht"}, if_match="*")).status_code == 200


@pytest.mark.requirement("API-4")
async def test_the_list_has_the_filters_orders_and_cursors_of_the_page(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    await start_many(db, ada, 25)
    await log_in(client)
    seen: list[dict[str, Any]] = []
    path = f"{API}?sort=due&limit=4&status=active"
    while path and len(seen) < 30:
        with statements() as executed:
            answer = await client.get(path)
        assert len(executed) <= 3, "\n".join(executed)
        seen += answer.json()["items"]
        path = answer.headers.get("link", "").partition(">")[0].lstrip("<")

    assert len({each["id"] for each in seen}) == len(seen) == 6
    days = [each["due_on"] or "9999" for each in seen]
    assert days == sorted(days)
    first = (await client.get(f"{API}?sort=due&limit=4")).json()["next_cursor"]
    for other in ("sort=name", "sort=due&status=active", "sort=due&search=a"):
        assert (await client.get(f"{API}?{other}&cursor={first}")).status_code == 422


@pytest.mark.requirement("API-2")
async def test_no_column_can_be_written_but_the_five_that_are_named(client: AsyncTestClient, db: AsyncSession) -> None:
    path = f"{API}/{(await start(db, await add_person(db), 'Boat')).id}"
    await log_in(client)
    columns = {column.name for table in Base.metadata.tables.values() for column in table.columns}
    body = dict.fromkeys(sorted(columns - {"name", "description", "status", "lead_id", "due_on"}), "1")
    for method, address in (("POST", API), ("PATCH", path)):
        answer = await send(client, method, address, {"name": "Mine", **body}, if_match="*")
        assert {error["pointer"] for error in answer.json()["errors"]} == {f"#/{name}" for name in body}
    assert [each.name for each in await projects_of(db)] == ["Boat"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": 7}, "#/name"),
        ({"name": "Boat", "status": "gone"}, "#/status"),
        ({"name": "Boat", "status": 1}, "#/status"),
        ({"name": "Boat", "due_on": "tomorrow"}, "#/due_on"),
        ({"name": "Boat", "due_on": 0}, "#/due_on"),
        ({"name": "Boat", "lead_id": "me"}, "#/lead_id"),
        ({"name": "Boat", "description": None}, "#/description"),
        ({}, "#/name"),
    ],
)
@pytest.mark.requirement("API-3")
async def test_values_of_another_type_are_refused(
    client: AsyncTestClient, db: AsyncSession, body: Any, pointer: str
) -> None:
    await add_person(db)
    await log_in(client)
    answer = await send(client, "POST", API, body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.requirement("TEN-2")
async def test_other_peoples_projects_are_as_missing_as_those_that_there_are_not(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    foreign = await start(db, await add_person(db, "Mary Somerville", "mary@example.com"), "Secret")
    await log_in(client)
    for id in (foreign.id, "00000000-0000-4000-8000-000000000000"):
        for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore")):
            body = {"name": "Mine"} if method == "PATCH" else None
            assert (await send(client, method, f"{API}/{id}{path}", body, if_match="*")).status_code == 404


async def test_members_may_not_delete(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    path = f"{API}/{(await start(db, ada, 'Boat')).id}"
    await add_member(db, ada)
    await log_in(client, "grace@example.com")
    assert (await send(client, "DELETE", path)).status_code == 403
    assert (await send(client, "PATCH", path, {"name": "Ship"}, if_match="*")).status_code == 200


# Sent again


@pytest.mark.requirement("API-5")
async def test_a_request_sent_again_with_its_key_has_one_effect_and_one_answer(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)
    first = await send(client, "POST", API, {"name": "Boat"}, idempotency_key="a-1")
    again = await send(client, "POST", API, {"name": "Boat"}, idempotency_key="a-1")
    other = await send(client, "POST", API, {"name": "Ship"}, idempotency_key="a-1")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.content == first.content
    assert [again.headers[name] for name in ("location", "etag")] == [
        first.headers[name] for name in ("location", "etag")
    ]
    assert len(await projects_of(db)) == 1


@pytest.mark.requirement("API-5")
async def test_a_refused_request_uses_no_key_up(client: AsyncTestClient, db: AsyncSession) -> None:
    await start(db, await add_person(db), "Boat")
    await log_in(client)
    assert (await send(client, "POST", API, {"name": "Boat"}, idempotency_key="a-1")).status_code == 409
    assert (await send(client, "POST", API, {"name": "Ship"}, idempotency_key="a-1")).status_code == 201


@pytest.mark.parametrize("key", ["", "two words", "x" * 256])
async def test_a_key_is_up_to_255_visible_characters(client: AsyncTestClient, db: AsyncSession, key: str) -> None:
    await add_person(db)
    await log_in(client)
    answer = await send(client, "POST", API, {"name": "Boat"}, idempotency_key=key)
    assert answer.status_code == (201 if key == "" else 422)


@pytest.mark.requirement("API-5")
async def test_keys_belong_to_one_person_in_one_organization_and_end_after_a_day(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    await add_member(db, ada)
    await log_in(client, "grace@example.com")
    own = "/api/v1/organizations/grace-hopper/projects"
    for path in (API, own):
        assert (await send(client, "POST", path, {"name": "Boat"}, idempotency_key="a-1")).status_code == 201
    with clock.travel(KEPT + timedelta(seconds=1)):
        assert (await send(client, "POST", own, {"name": "Ship"}, idempotency_key="a-1")).status_code == 201
        async with system_scope(db):
            assert await forget_keys(db) == 1
