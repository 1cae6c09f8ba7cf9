"""Organizations for programs: who gets what, what is refused and how, and lists in pages."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import AuditEvent
from app.database import Base, system_scope
from app.organizations.models import CustomRole, FormerSlug, Membership, MembershipStatus, Organization
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, organization_of
from tests.app.organizations.teams import add_role, give_role

Statements = Callable[[], AbstractContextManager[list[str]]]
ORGANIZATION = "/api/v1/organizations/ada-lovelace"
MEMBERS = f"{ORGANIZATION}/members"


async def add_member(
    db: AsyncSession,
    owner: User,
    name: str,
    role: Role = Role.MEMBER,
    status: MembershipStatus = MembershipStatus.ACTIVE,
) -> User:
    """Another person, who belongs to the organization of `owner`."""
    person = await add_person(db, name, f"{name.partition(' ')[0].lower()}@example.com")
    organization = await organization_of(db, owner)
    async with system_scope(db):
        db.add(Membership(organization_id=organization.id, user_id=person.id, role=role, status=status))
    return person


async def change(client: AsyncTestClient, body: Any, *, path: str = ORGANIZATION, **headers: str) -> Response:
    """PATCH as a page's script does: with the token that the pages carry."""
    return await client.patch(path, json=body, headers={"x-csrf-token": await csrf_token(client), **headers})


async def test_the_organizations_of_the_person_are_listed_with_their_role(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    await add_member(db, ada, "Grace Hopper", Role.ADMIN)
    await log_in(client, "grace@example.com")
    with statements() as executed:
        answer = await client.get("/api/v1/organizations")

    assert len(executed) <= 2, "\n".join(executed)
    found = answer.json()
    assert [(each["slug"], each["role"]) for each in found["items"]] == [
        ("grace-hopper", "owner"),
        ("ada-lovelace", "admin"),
    ]
    assert found["next_cursor"] is None
    assert answer.headers["cache-control"] == "no-store"


async def test_an_organization_is_shown_with_the_fields_that_are_named_and_no_others(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    await add_person(db)
    await log_in(client)
    with statements() as executed:
        answer = await client.get(ORGANIZATION)

    assert len(executed) <= 2, "\n".join(executed)
    assert set(answer.json()) == {"id", "slug", "name", "kind", "role", "logo_url", "locale", "time_zone", "created_at"}


async def test_an_organization_is_renamed_by_the_action_of_the_page(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    await add_person(db)
    await log_in(client)
    token = await csrf_token(client)
    with statements() as executed:
        answer = await client.patch(ORGANIZATION, json={"name": " Engines "}, headers={"x-csrf-token": token})

    assert (answer.status_code, answer.json()["name"]) == (200, "Engines")
    assert len(executed) <= 4, "\n".join(executed)
    assert (await client.get(ORGANIZATION)).json()["name"] == "Engines"
    async with system_scope(db):
        event = (await db.scalars(select(AuditEvent).where(AuditEvent.action == "organizations.renamed"))).one()
        assert event.changes == {"name": ["Ada Lovelace", "Engines"]}


async def test_people_are_told_the_role_of_an_organization_s_own_that_they_have(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    mary = await add_member(db, ada, "Mary Somerville")
    await give_role(db, mary, await add_role(db, await organization_of(db, ada), "Reviewer"))
    await log_in(client, mary.email)
    headers = {"x-csrf-token": await csrf_token(client)}
    query = {"query": "{ organizations { slug role } }"}

    listed = (await client.get("/api/v1/organizations")).json()["items"]
    shown = (await client.get(ORGANIZATION)).json()
    asked = (await client.post("/graphql", json=query, headers=headers)).json()["data"]["organizations"]

    assert [each["role"] for each in listed if each["slug"] == "ada-lovelace"] == ["reviewer"]
    assert shown["role"] == "reviewer"
    assert [each["role"] for each in asked if each["slug"] == "ada-lovelace"] == ["reviewer"]


async def test_members_are_listed_with_the_keys_of_their_roles_and_without_addresses_that_nobody_proved(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    organization = await organization_of(db, ada)
    async with system_scope(db):
        role = CustomRole(organization_id=organization.id, key="reviewer", name="Reviewer", permissions=[])
        mary = User(name="Mary Somerville")
        db.add_all([role, mary])
        await db.flush()
        db.add(Membership(organization_id=organization.id, user_id=mary.id, role=Role.MEMBER, custom_role_id=role.id))
    await log_in(client)

    for path in (MEMBERS, f"{MEMBERS}?status=active"):
        items = (await client.get(path)).json()["items"]
        assert [(each["name"], each["email"], each["role"]) for each in items] == [
            ("Ada Lovelace", "ada@example.com", "owner"),
            ("Mary Somerville", "", "reviewer"),
        ]
        assert set(items[0]) == {"user_id", "name", "email", "role", "status", "joined_at"}


@pytest.mark.parametrize(
    ("who", "statuses"),
    [
        ("owner", [200, 200, 200]),
        ("admin", [200, 200, 200]),
        ("member", [200, 200, 403]),
        ("suspended", [404, 404, 404]),
        ("stranger", [404, 404, 404]),
        ("nobody", [401, 401, 401]),
    ],
)
async def test_the_api_goes_by_the_policy(
    client: AsyncTestClient, db: AsyncSession, who: str, statuses: list[int]
) -> None:
    ada = await add_person(db)
    await add_person(db, "Mary Somerville", "mary@example.com")
    status = MembershipStatus.SUSPENDED if who == "suspended" else MembershipStatus.ACTIVE
    await add_member(db, ada, "Grace Hopper", Role(who) if who in ("admin", "member") else Role.MEMBER, status)
    emails = {"owner": "ada@example.com", "stranger": "mary@example.com"}
    headers = {}
    if who != "nobody":
        await log_in(client, emails.get(who, "grace@example.com"))
        headers = {"x-csrf-token": await csrf_token(client)}

    answers = [
        await client.get(ORGANIZATION),
        await client.get(MEMBERS),
        await client.patch(ORGANIZATION, json={"name": "New"}, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == statuses
    for answer in answers:
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
            assert "Ada" not in answer.text
    async with system_scope(db):
        renamed = (await organization_of(db, ada)).name == "New"
    assert renamed is (statuses[2] == 200)


async def test_other_peoples_organizations_and_missing_ones_are_the_same_404(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await add_person(db, "Grace Hopper", "grace@example.com")
    await log_in(client)

    foreign = await client.get("/api/v1/organizations/grace-hopper")
    missing = await client.get("/api/v1/organizations/grace-hopp3r")
    assert (foreign.status_code, foreign.text) == (missing.status_code, missing.text) == (404, missing.text)
    assert sorted(foreign.headers) == sorted(missing.headers)


async def test_a_former_slug_leads_to_the_same_endpoint_of_the_present_one(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    organization = await organization_of(db, ada)
    async with system_scope(db):
        db.add(FormerSlug(slug="organizations", organization_id=organization.id))
    await log_in(client)

    answer = await client.get("/api/v1/organizations/organizations/members?limit=1")
    assert (answer.status_code, answer.headers["location"]) == (308, f"{MEMBERS}?limit=1")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": "  "}, "#/name"),
        ({"name": "x" * 101}, "#/name"),
        ({"name": 7}, "#/name"),
        ({"name": None}, "#/name"),
        ({"name": ["Engines"]}, "#/name"),
        ({"name": "a\x00b"}, "#/name"),
        ({"name": "Engines", "colour": "red"}, "#/colour"),
        ([], "#"),
        ("Engines", "#"),
        (None, "#"),
    ],
)
@pytest.mark.requirement("API-3")
async def test_a_body_of_another_shape_is_refused_with_a_pointer_to_the_place(
    client: AsyncTestClient, db: AsyncSession, body: Any, pointer: str
) -> None:
    await add_person(db)
    await log_in(client)
    answer = await change(client, body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_all_that_is_wrong_is_told_at_once(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    body = await change(client, {"name": 7, "colour": "red", "kind": "team"})
    query = await client.get(f"{MEMBERS}?limit=0&page=2")

    assert [error["pointer"] for error in body.json()["errors"]] == ["#/name", "#/colour", "#/kind"]
    assert [error["pointer"] for error in query.json()["errors"]] == ["#/limit", "#/page"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"name": "a", "name": "b"}', 422),
        (b'{"name": NaN}', 422),
        (b'{"name": 1e999}', 422),
        (b'{"name": "\\ud800"}', 400),
        (b'{"name": "\xff"}', 400),
        (b'{"name": "a"', 400),
        (b'{"name": ' + b"[" * 33 + b"]" * 33 + b"}", 400),
        (b'{"name": [' + b"0," * 10_001 + b"0]}", 400),
        (b"", 422),
    ],
)
@pytest.mark.requirement("API-3")
async def test_text_that_parsers_disagree_about_is_refused(
    client: AsyncTestClient, db: AsyncSession, content: bytes, status: int
) -> None:
    await add_person(db)
    await log_in(client)
    headers = {"x-csrf-token": await csrf_token(client), "content-type": "application/json"}
    answer = await client.patch(ORGANIZATION, content=content, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (await client.get(ORGANIZATION)).json()["name"] == "Ada Lovelace"


def columns() -> list[str]:
    return sorted({column.name for table in Base.metadata.tables.values() for column in table.columns} - {"name"})


@pytest.mark.requirement("API-2")
async def test_no_column_of_any_table_can_be_written_but_the_name(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    for column in columns():
        answer = await change(client, {"name": "New", column: "owner"})
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"#/{column}"], column

    assert (await client.get(ORGANIZATION)).json()["name"] == "Ada Lovelace"
    assert await db.scalar(select(User.is_staff)) is False


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://elsewhere.test"}, 403),
        ({"origin": "null"}, 403),
        ({"x-csrf-token": ""}, 403),
        ({"x-csrf-token": "wrong"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://slipway.test"}, 200),
    ],
)
async def test_what_another_site_can_make_a_browser_send_changes_nothing(
    client: AsyncTestClient, db: AsyncSession, headers: dict[str, str], status: int
) -> None:
    await add_person(db)
    await log_in(client)
    answer = await change(client, {"name": "New"}, **headers)

    assert answer.status_code == status
    assert ((await client.get(ORGANIZATION)).json()["name"] == "New") is (status == 200)


@pytest.mark.requirement("API-4")
async def test_members_are_read_page_by_page_without_a_gap_or_a_double(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    # Two of them joined in the same instant: their order is that of their ids.
    with clock.travel(timedelta(hours=1)):
        for name in ("Grace Hopper", "Mary Somerville", "Emmy Noether", "Hypatia Theon"):
            await add_member(db, ada, name)
    await log_in(client)

    whole = [each["user_id"] for each in (await client.get(MEMBERS)).json()["items"]]
    assert len(whole) == 5
    seen, path = [], f"{MEMBERS}?limit=2"
    for expected in (2, 2, 1):
        with statements() as executed:
            answer = await client.get(path)
        assert len(executed) <= 3, "\n".join(executed)
        assert len(answer.json()["items"]) == expected
        seen += [each["user_id"] for each in answer.json()["items"]]
        path = answer.headers.get("link", "").partition(">")[0].lstrip("<")
        assert (f"cursor={answer.json()['next_cursor']}" in path) is (expected == 2)
    assert seen == whole
    assert path == ""


async def test_a_list_of_organizations_has_pages_too(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    await add_member(db, ada, "Grace Hopper")
    await log_in(client, "grace@example.com")

    first = (await client.get("/api/v1/organizations?limit=1")).json()
    second = (await client.get(f"/api/v1/organizations?limit=1&cursor={first['next_cursor']}")).json()
    assert [first["items"][0]["slug"], second["items"][0]["slug"]] == ["grace-hopper", "ada-lovelace"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "limit", ["", "0", "-1", "101", "1000000000", "9" * 30, "1.0", "1e1", "0_1", " 1", "٣", "null", "[]"]
)
@pytest.mark.requirement("API-4")
async def test_a_limit_out_of_bounds_is_refused(client: AsyncTestClient, db: AsyncSession, limit: str) -> None:
    await add_person(db)
    await log_in(client)
    answer = await client.get(MEMBERS, params={"limit": limit})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/limit"]


@pytest.mark.requirement("API-4")
async def test_a_cursor_that_we_did_not_write_for_this_list_is_refused(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    grace = await add_member(db, ada, "Grace Hopper", Role.ADMIN)
    await add_member(db, grace, "Mary Somerville")
    await log_in(client, "grace@example.com")
    own = (await client.get(f"{MEMBERS}?limit=1")).json()["next_cursor"]
    foreign = (await client.get("/api/v1/organizations/grace-hopper/members?limit=1")).json()["next_cursor"]
    other_list = (await client.get("/api/v1/organizations?limit=1")).json()["next_cursor"]
    forged = own[:-2] + ("AA" if own[-2:] != "AA" else "BA")

    for cursor in (foreign, other_list, forged, own[1:], "x", "' OR 1=1", "ä" * 54, "A" * 54, "=" * 54, "x" * 55):
        answer = await client.get(MEMBERS, params={"cursor": cursor})
        assert answer.status_code == 422, cursor
        assert [error["pointer"] for error in answer.json()["errors"]] == ["#/cursor"]
    assert (await client.get(MEMBERS, params={"cursor": own})).status_code == 200


async def test_suspended_organizations_are_listed_for_nobody(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    async with system_scope(db):
        (await db.get_one(Organization, ada.current_organization_id)).status = "suspended"
    await log_in(client)

    assert (await client.get("/api/v1/organizations")).json()["items"] == []
