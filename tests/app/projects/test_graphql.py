"""Projects by GraphQL."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.projects.starting import start, start_many

Statements = Callable[[], AbstractContextManager[list[str]]]
LIST = """
query ($organization: String!, $after: String, $sort: String! = "name", $first: Int! = 3) {
  projects(organization: $organization, first: $first, after: $after, sort: $sort) { items { name status lead } nextCursor }
}
"""


async def ask(client: AsyncTestClient, query: str, **variables: Any) -> Any:
    headers = {"x-csrf-token": await csrf_token(client)}
    return (await client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)).json()


async def test_projects_are_read_page_by_page(client: AsyncTestClient, db: AsyncSession) -> None:
    await start_many(db, await add_person(db), 7)
    await log_in(client)
    seen, after = [], None
    for _ in range(3):
        page = (await ask(client, LIST, organization="ada-lovelace", after=after))["data"]["projects"]
        seen += [each["name"] for each in page["items"]]
        after = page["nextCursor"]

    assert seen == [f"Project {number:05}" for number in range(7)]
    assert after is None


@pytest.mark.requirement("GQL-3", "TEN-2")
async def test_other_peoples_projects_are_missing(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    foreign = await start(db, await add_person(db, "Mary Somerville", "mary@example.com"), "Secret")
    await log_in(client)
    one = "query ($id: UUID!) { project(organization: %s, id: $id) { name } }"

    answers = [
        await ask(client, LIST, organization="mary-somerville"),
        await ask(client, one % '"mary-somerville"', id=str(foreign.id)),
        await ask(client, one % '"ada-lovelace"', id=str(foreign.id)),
    ]
    for answer in answers:
        assert [error["extensions"]["status"] for error in answer["errors"]] == [404]
        assert "Secret" not in str(answer)


@pytest.mark.parametrize("variables", [{"sort": "secret"}, {"first": 101}, {"after": "forged"}])
async def test_what_the_pages_refuse_is_refused(
    client: AsyncTestClient, db: AsyncSession, variables: dict[str, Any]
) -> None:
    await add_person(db)
    await log_in(client)
    answer = await ask(client, LIST, organization="ada-lovelace", **variables)
    assert [error["extensions"]["status"] for error in answer["errors"]] == [422]
