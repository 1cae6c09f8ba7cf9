"""GraphQL in the product: the pages' data by the pages' rules, whoever asks and however."""

import dataclasses
import html
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import system_scope
from app.main import create_app
from app.organizations.models import FormerSlug, Membership, Organization
from app.policy import Role
from core.testclient import AsyncTestClient
from core.websockets import WebSocketDisconnect
from tests.app.accounts.people import add_person, csrf_token, log_in, organization_of
from tests.databases import RolledBackDatabase

Statements = Callable[[], AbstractContextManager[list[str]]]

EVERYTHING = """
query ($slug: String!) {
  me { id name email }
  organizations { slug name kind role }
  organization(slug: $slug) {
    slug name role
    members { name email role status }
    auditEvents { action actorLabel targetType targetLabel createdAt }
  }
}
"""
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def ask(client: AsyncTestClient, query: str, **variables: Any) -> Any:
    """The answer to a query, asked as a page's script does."""
    response = await client.post(
        "/graphql",
        json={"query": query, "variables": variables},
        headers={"x-csrf-token": await csrf_token(client), "accept": "application/graphql-response+json"},
    )
    assert response.status_code in (200, 400), response.text
    return response.json()


async def add_member(db: AsyncSession, organization: Organization, user: User, role: Role) -> None:
    async with system_scope(db):
        db.add(Membership(organization_id=organization.id, user_id=user.id, role=role))


async def grace_and_ada(db: AsyncSession, client: AsyncTestClient, role: Role | None) -> tuple[User, Organization]:
    """Grace is logged in, and has a role in Ada's organization or none."""
    ada = await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    organization = await organization_of(db, ada)
    if role is not None:
        await add_member(db, organization, grace, role)
    await log_in(client, "grace@example.com")
    return grace, organization


def statuses(answer: Any) -> dict[str, int]:
    """The status of each error by the dotted path of the field that it is about."""
    return {".".join(map(str, each["path"])): each["extensions"]["status"] for each in answer.get("errors", [])}


# Who may ask what


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_strangers_get_a_401_and_no_data(client: AsyncTestClient, db: AsyncSession, method: str) -> None:
    await add_person(db)
    for query in ("{ me { name } }", "{ __typename }", "{ __schema { queryType { name } } }", "not even a query"):
        parameters: Any = {"params": {"query": query}} if method == "GET" else {"json": {"query": query}}
        response = await client.request(method, "/graphql", **parameters)
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert "data" not in response.json()


@pytest.mark.parametrize(
    ("role", "members", "events"),
    [(Role.OWNER, True, True), (Role.ADMIN, True, True), (Role.MEMBER, True, False), (None, False, False)],
)
@pytest.mark.requirement("GQL-3")
async def test_fields_go_by_the_policy(
    client: AsyncTestClient, db: AsyncSession, role: Role | None, members: bool, events: bool
) -> None:
    await grace_and_ada(db, client, role)
    answer = await ask(client, EVERYTHING, slug="ada-lovelace")
    data = answer["data"]

    assert data["me"]["name"] == "Grace Hopper"
    assert data["me"]["email"] == "grace@example.com"
    own = {"slug": "grace-hopper", "name": "Grace Hopper", "kind": "personal", "role": "owner"}
    shared = {"slug": "ada-lovelace", "name": "Ada Lovelace", "kind": "personal", "role": role}
    assert data["organizations"] == [own, shared] if role else [own]
    found = data["organization"]
    if role is None:
        assert found is None
        assert statuses(answer) == {"organization": 404}
        return
    assert (found["slug"], found["role"]) == ("ada-lovelace", role)
    assert members == (found["members"] is not None)
    assert {(each["name"], each["role"]) for each in found["members"]} == {
        ("Ada Lovelace", "owner"),
        ("Grace Hopper", role),
    }
    assert events == (found["auditEvents"] is not None)
    assert statuses(answer) == ({} if events else {"organization.auditEvents": 403})
    if events:
        assert found["auditEvents"][0]["action"] == "organizations.created"


async def test_own_data_is_that_of_the_pages(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    await log_in(client)
    answer = await ask(client, EVERYTHING, slug="ada-lovelace")
    assert "errors" not in answer
    assert answer["data"]["me"] == {"id": str(ada.id), "name": "Ada Lovelace", "email": "ada@example.com"}
    [member] = answer["data"]["organization"]["members"]
    assert member == {"name": "Ada Lovelace", "email": "ada@example.com", "role": "owner", "status": "active"}
    async with system_scope(db):
        recorded = (await db.scalars(select(AuditEvent.action).where(AuditEvent.organization_id.is_not(None)))).all()
    assert sorted(each["action"] for each in answer["data"]["organization"]["auditEvents"]) == sorted(recorded)


@pytest.mark.parametrize("slug", ["ada-lovelace", "nobody-at-all", "", "../x", "ADA-LOVELACE", "a" * 500, "\x00"])
async def test_other_peoples_organizations_look_like_missing_ones(
    client: AsyncTestClient, db: AsyncSession, slug: str
) -> None:
    await grace_and_ada(db, client, None)
    assert await ask(client, EVERYTHING, slug=slug) == await ask(client, EVERYTHING, slug="nobody-at-all-either")


@pytest.mark.parametrize("change", ["removed", "suspended"])
async def test_who_lost_their_place_sees_the_organization_no_longer(
    client: AsyncTestClient, db: AsyncSession, change: str
) -> None:
    grace, organization = await grace_and_ada(db, client, Role.ADMIN)
    assert (await ask(client, EVERYTHING, slug="ada-lovelace"))["data"]["organization"] is not None
    theirs = (Membership.user_id == grace.id, Membership.organization_id == organization.id)
    async with system_scope(db):
        if change == "removed":
            await db.execute(delete(Membership).where(*theirs))
        else:
            await db.execute(update(Membership).where(*theirs).values(status="suspended"))
    answer = await ask(client, EVERYTHING, slug="ada-lovelace")
    assert answer["data"]["organization"] is None
    assert [each["slug"] for each in answer["data"]["organizations"]] == ["grace-hopper"]
    assert answer == await ask(client, EVERYTHING, slug="nobody-at-all")


async def test_two_organizations_in_one_request_are_not_mixed_up(client: AsyncTestClient, db: AsyncSession) -> None:
    await grace_and_ada(db, client, Role.MEMBER)
    query = """{
      a: organization(slug: "ada-lovelace") { name members { name } auditEvents { action } }
      b: organization(slug: "grace-hopper") { name members { name } auditEvents { action targetLabel } }
      c: organization(slug: "nobody-at-all") { name members { name } }
    }"""
    answer = await ask(client, query)
    assert statuses(answer) == {"a.auditEvents": 403, "c": 404}
    assert [each["name"] for each in answer["data"]["a"]["members"]] == ["Ada Lovelace", "Grace Hopper"]
    assert [each["name"] for each in answer["data"]["b"]["members"]] == ["Grace Hopper"]
    assert "Ada" not in json.dumps(answer["data"]["b"])


async def test_a_former_slug_leads_to_the_organization_as_it_is_called_now(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    organization = await organization_of(db, ada)
    async with system_scope(db):
        db.add(FormerSlug(slug="engines", organization_id=organization.id))
    await log_in(client)
    answer = await ask(client, '{ organization(slug: "engines") { slug } }')
    assert answer == {"data": {"organization": {"slug": "ada-lovelace"}}}


# How much it costs


async def test_the_number_of_statements_does_not_grow_with_the_number_of_members(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    organization = await organization_of(db, ada)
    await log_in(client)
    counts = []
    for _ in range(2):
        token = await csrf_token(client)
        body = {"query": EVERYTHING, "variables": {"slug": "ada-lovelace"}}
        with statements() as executed:
            answer = (await client.post("/graphql", json=body, headers={"x-csrf-token": token})).json()
        counts.append(len(executed))
        for number in range(20):
            person = await add_person(db, f"Member {number}", f"member-{number}-{len(counts)}@example.com")
            await add_member(db, organization, person, Role.MEMBER)
    assert len(answer["data"]["organization"]["members"]) == 21
    assert counts == [5, 5], "\n".join(executed)


@pytest.mark.parametrize(
    "field",
    ["organizations(first: {}) {{ slug }}", 'organization(slug: "ada-lovelace") {{ members(first: {}) {{ name }} }}'],
)
@pytest.mark.parametrize("first", [0, -1, 101, 250])
async def test_the_size_of_a_list_has_bounds(client: AsyncTestClient, db: AsyncSession, field: str, first: int) -> None:
    await add_person(db)
    await log_in(client)
    answer = await ask(client, f"{{ {field.format(first)} }}")
    assert [each["message"] for each in answer["errors"]] == ["`first` is a number from 1 to 100."]


async def test_events_are_read_on_before_a_time_with_a_zone(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    query = 'query ($t: DateTime!) { organization(slug: "ada-lovelace") { auditEvents(before: $t) { action } } }'
    past = await ask(client, query, t="2001-01-01T00:00:00Z")
    assert past["data"]["organization"] == {"auditEvents": []}
    future = await ask(client, query, t="2100-01-01T00:00:00+02:00")
    assert future["data"]["organization"]["auditEvents"] != []
    naive = await ask(client, query, t="2100-01-01T00:00:00")
    assert statuses(naive) == {"organization.auditEvents": 422}


# What another site, or a careless client, can send


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"x-csrf-token": "wrong"}, 403),
        ({"x-csrf-token": "right", "sec-fetch-site": "cross-site"}, 403),
        ({"x-csrf-token": "right", "sec-fetch-site": "same-site"}, 403),
        ({"x-csrf-token": "right", "origin": "null"}, 403),
        ({"x-csrf-token": "right", "origin": "https://evil.example"}, 403),
        ({"x-csrf-token": "right", "content-type": "text/plain"}, 415),
        ({"x-csrf-token": "right", "content-type": "application/x-www-form-urlencoded"}, 415),
        ({"x-csrf-token": "right", "sec-fetch-site": "same-origin"}, 200),
    ],
)
@pytest.mark.requirement("CSR-1")
async def test_only_our_own_pages_can_post(
    client: AsyncTestClient, db: AsyncSession, headers: dict[str, str], status: int
) -> None:
    await add_person(db)
    await log_in(client)
    if headers.get("x-csrf-token") == "right":
        headers = {**headers, "x-csrf-token": await csrf_token(client)}
    headers = {"content-type": "application/json", **headers}
    response = await client.post("/graphql", content=b'{"query": "{ me { name } }"}', headers=headers)
    assert response.status_code == status
    assert ("Ada" in response.text) is (status == 200)
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.requirement("GQL-2")
async def test_production_keeps_its_schema_to_itself(
    settings: Settings, database: RolledBackDatabase, db: AsyncSession
) -> None:
    app = create_app(dataclasses.replace(settings, environment="production"), database=database)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        await add_person(db)
        await log_in(client)
        answer = await ask(client, "{ __schema { queryType { name } } }")
        assert "data" not in answer
        assert "Did you mean" not in json.dumps(await ask(client, "{ organisations { slug } }"))
        page = (await client.get("/graphql", headers=BROWSER)).text
        assert "explorer-schema" not in page
        assert "auditEvents" not in page


async def test_there_is_no_websocket(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    with pytest.raises(WebSocketDisconnect):
        async with client.websocket_connect("/graphql", ["graphql-transport-ws"]):
            pass


# The explorer


async def test_a_browser_without_a_session_is_led_to_the_log_in_page_and_back(client: AsyncTestClient) -> None:
    response = await client.get("/graphql", params={"query": "{me{name}}"}, headers=BROWSER)
    assert response.status_code == 303
    address = urlsplit(response.headers["location"])
    assert address.path == "/log-in"
    [target] = parse_qs(address.query)["next"]
    assert urlsplit(target).path == "/graphql"
    assert parse_qs(urlsplit(target).query) == {"query": ["{me{name}}"]}


async def test_a_browser_sees_the_explorer_and_a_program_the_answer(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    page = await client.get("/graphql", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.count("<h1") == 1
    assert "type Query" in html.unescape(page.text)
    for accept in ("*/*", "application/json"):
        response = await client.get("/graphql", params={"query": "{ me { name } }"}, headers={"accept": accept})
        assert response.json() == {"data": {"me": {"name": "Ada Lovelace"}}}


def shown_answer(page: str) -> Any:
    found = re.search(r"data-query-answer(?: hidden)?>.*?<code>(.*?)</code>", page, re.DOTALL)
    assert found is not None, page
    return json.loads(html.unescape(found[1]))


@pytest.mark.parametrize(
    ("query", "variables", "answer"),
    [
        ("{ me { name } }", "", {"data": {"me": {"name": "Ada Lovelace"}}}),
        (
            "query ($s: String!) { organization(slug: $s) { name } }",
            '{"s": "ada-lovelace"}',
            {"data": {"organization": {"name": "Ada Lovelace"}}},
        ),
        ("{ me { name } }", "{", {"errors": [{"message": "The variables are not valid JSON."}]}),
        ("{ me { name } }", "[" * 2000, {"errors": [{"message": "The variables are not valid JSON."}]}),
        (
            "{ me { name } }",
            "[]",
            {"errors": [{"message": "The request's `variables` is missing or of a wrong type."}]},
        ),
    ],
)
async def test_the_explorer_works_without_a_script(
    client: AsyncTestClient, db: AsyncSession, query: str, variables: str, answer: Any
) -> None:
    await add_person(db)
    await log_in(client)
    page = await client.get("/graphql", params={"query": query, "variables": variables}, headers=BROWSER)
    assert page.status_code == 200
    assert shown_answer(page.text) == answer
    assert html.escape(query) in page.text


async def test_what_is_typed_into_the_explorer_stays_text(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    attack = "</textarea><script>alert(1)</script>"
    page = await client.get("/graphql", params={"query": attack, "variables": attack}, headers=BROWSER)
    assert "<script>alert" not in page.text
    assert re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text) is None


async def test_the_token_of_the_page_lets_its_script_post_and_does_not_travel_in_an_address(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)
    page = (await client.get("/graphql", headers=BROWSER)).text
    found = re.search(r'data-csrf-token="([^"]+)"', page)
    assert found is not None
    response = await client.post("/graphql", json={"query": "{ me { name } }"}, headers={"x-csrf-token": found[1]})
    assert response.status_code == 200
    assert 'name="csrf_token"' not in page


async def test_the_explorer_speaks_german(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    page = await client.get("/graphql", headers={**BROWSER, "accept-language": "de"})
    assert "Abfrage ausführen" in page.text
