from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy.ext.asyncio import AsyncSession

from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in

Statements = Callable[[], AbstractContextManager[list[str]]]


async def test_people_are_told_who_they_are_by_one_statement(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    await log_in(client)
    with statements() as executed:
        answer = await client.get("/api/v1/me")

    assert len(executed) == 1, "\n".join(executed)
    told = answer.json()
    assert (told["id"], told["name"], told["email"]) == (str(ada.id), "Ada Lovelace", "ada@example.com")
    assert set(told) == {"id", "name", "email", "created_at"}


async def test_strangers_get_a_problem_and_not_a_page_whatever_they_accept(client: AsyncTestClient) -> None:
    for accept in ("text/html", "application/json", "*/*"):
        answer = await client.get("/api/v1/me", headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json() == {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "Log in to continue.",
        }


async def test_a_made_up_session_is_nobody(client: AsyncTestClient) -> None:
    client.cookies.set("__Host-session", "A" * 43)

    assert (await client.get("/api/v1/me")).status_code == 401
