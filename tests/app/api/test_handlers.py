"""The description of the API: the document, and the page that shows it."""

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.document import Document, describe_api
from core.applications import Starlette
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in

OPERATIONS = {
    "accounts.show_me",
    "organizations.list_organizations",
    "organizations.show_organization",
    "organizations.update_organization",
    "organizations.list_members",
}


@pytest.fixture
async def document(client: AsyncTestClient) -> Document:
    answer = await client.get("/api/v1/openapi.json")
    found: Document = answer.json()
    return found


def operations(document: Document) -> list[tuple[str, str, Document]]:
    """Triples of method, path and operation."""
    return [(method, path, each) for path, item in document["paths"].items() for method, each in item.items()]


async def test_the_document_is_valid_for_somebody_else(document: Document) -> None:
    assert document["openapi"].startswith("3.1")
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_every_route_of_the_api_is_described(document: Document, app: Starlette) -> None:
    routes = [route for route in app.routes if isinstance(route, Route) and route.path.startswith("/api/v1/")]
    described = {each["operationId"] for _, _, each in operations(document)}

    assert described == {route.name for route in routes if route.include_in_schema}
    assert described >= OPERATIONS


async def test_every_operation_says_what_it_does_whom_it_is_for_and_how_it_refuses(document: Document) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, operation in operations(document):
        assert operation["summary"], path
        assert set(operation["tags"]) <= tags, path
        schemes = {"session"} if method == "get" else {"session", "csrf"}
        *by_token, by_session = operation["security"]
        assert set(by_session) == schemes, path
        assert all(way.keys() == {"token"} and way["token"] for way in by_token), path
        assert {"401", "403", "429"} <= set(operation["responses"]), path
        for status, answer in operation["responses"].items():
            if status >= "400" and status != "414":  # That one is the server's own.
                assert list(answer["content"]) == ["application/problem+json"], (path, status)


async def test_an_answer_names_its_fields(document: Document) -> None:
    for _, path, operation in operations(document):
        [said] = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        if "content" not in said:
            continue
        answer = said["content"]["application/json"]["schema"]
        named = answer.get("items", answer)["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][named]
        assert schema["properties"], path
        assert schema.get("additionalProperties") is not True


async def test_the_document_is_made_once(app: Starlette) -> None:
    assert describe_api(app) is describe_api(app)


async def test_the_page_has_every_operation_and_schema_with_anchors_that_exist(
    client: AsyncTestClient, document: Document
) -> None:
    page = (await client.get("/api/docs")).text
    anchors = set(re.findall(r'\bid="([^"]+)"', page))

    assert {f"operation-{name}" for name in OPERATIONS} <= anchors
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= anchors
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


async def test_the_page_has_nothing_inline(client: AsyncTestClient) -> None:
    answer = await client.get("/api/docs")

    assert re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text) is None
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", OPERATIONS),
        ("members", {"organizations.list_members"}),
        ("PATCH organizations", {"organizations.update_organization"}),
        ("get slug", {"organizations.show_organization", "organizations.list_members"}),
        ("nothing like it", set()),
        ("<script>", set()),
    ],
)
async def test_the_search_works_without_a_script(client: AsyncTestClient, query: str, shown: set[str]) -> None:
    page = (await client.get("/api/docs", params={"q": query})).text

    articles = re.findall(r'<article[^>]*id="operation-([^"]+)"([^>]*)>', page)
    assert {name for name, attributes in articles if not attributes.endswith("hidden")} & OPERATIONS == shown
    assert ("<p data-filter-empty hidden>" in page) is bool(shown)
    assert "<script>" not in page


async def test_the_commands_can_be_copied(client: AsyncTestClient) -> None:
    page = (await client.get("/api/docs")).text

    assert "curl https://slipway.test/api/v1/organizations/acme/members" in page
    assert "--data &#39;{&#34;name&#34;: &#34;Acme Ltd&#34;, " in page


async def test_the_page_speaks_german(client: AsyncTestClient) -> None:
    page = (await client.get("/api/docs", headers={"accept-language": "de"})).text

    assert "API-Referenz" in page
    assert "Operationen suchen" in page


async def test_only_people_who_are_signed_in_can_try(client: AsyncTestClient, db: AsyncSession) -> None:
    areas = re.findall(r"<div data-try-area([^>]*)>", (await client.get("/api/docs")).text)
    assert set(areas) == {" hidden"}
    assert (await client.get("/api/docs/try/accounts.show_me")).status_code == 401

    await add_person(db)
    await log_in(client)
    page = (await client.get("/api/docs")).text
    assert "data-try-area hidden" not in page
    tried = set(re.findall(r'action="/api/docs/try/([^"]+)"', page))
    assert tried & OPERATIONS == OPERATIONS - {"organizations.update_organization"}


@pytest.mark.parametrize(
    ("asked", "status", "location"),
    [
        ("accounts.show_me", 303, "/api/v1/me"),
        ("organizations.list_members?slug=acme&limit=5&cursor=", 303, "/api/v1/organizations/acme/members?limit=5"),
        ("organizations.show_organization?slug=../../log-in%3Fa", 303, "/api/v1/organizations/..%2F..%2Flog-in%3Fa"),
        ("organizations.show_organization", 400, None),
        ("organizations.update_organization?slug=acme", 404, None),
        ("accounts.log_in", 404, None),
    ],
)
async def test_a_form_of_the_page_leads_to_the_address_that_it_names(
    client: AsyncTestClient, db: AsyncSession, asked: str, status: int, location: str | None
) -> None:
    await add_person(db)
    await log_in(client)
    answer = await client.get(f"/api/docs/try/{asked}")

    assert (answer.status_code, answer.headers.get("location")) == (status, location)
