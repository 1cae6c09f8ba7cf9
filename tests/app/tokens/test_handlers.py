"""The pages of a person's tokens."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.sessions import CONFIRMED_FOR
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import Base, system_scope
from app.features import shell_parts
from app.tokens.actions import MOST_TOKENS
from app.tokens.handlers import MOST_AN_HOUR
from app.tokens.models import PersonalToken
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, newest_message, templates_sent
from tests.app.tokens.making import add_token, bearer

Statements = Callable[[], AbstractContextManager[list[str]]]
TOKEN = re.compile(r"slipway_pat_[0-9A-Za-z]{49}")


async def create(client: AsyncTestClient, **fields: Any) -> Response:
    """Submit the form for a new token."""
    given = {"name": "Backup", "days": "90", "scopes": ["account:read"], **fields}
    return await client.post("/account/tokens/new", data={**given, "csrf_token": await csrf_token(client)})


@pytest.mark.requirement("API-1")
async def test_a_token_is_shown_once_and_is_nowhere_in_the_database(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    page = await create(client)

    assert page.status_code == 201
    assert page.headers["cache-control"] == "no-store"
    [secret] = set(TOKEN.findall(page.text))
    for table in Base.metadata.sorted_tables:
        rows = await db.execute(text(f'SELECT t::text FROM "{table.name}" t'))  # noqa: S608 - our own tables' names
        assert not [row for (row,) in rows if secret in row or secret[12:55] in row], table.name
    assert secret not in (await client.get("/account/tokens")).text


@pytest.mark.requirement("API-1", "AUT-7")
async def test_a_new_token_works_is_mailed_about_and_noted(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    await log_in(client)
    page = await create(client, name="Nightly backup", scopes=["account:read", "members:read"])
    [secret] = set(TOKEN.findall(page.text))
    client.cookies.clear()

    assert (await client.get("/api/v1/me", headers=bearer(secret))).json()["name"] == "Ada Lovelace"
    assert (await templates_sent(db))[-1] == ("tokens/token_created", "ada@example.com")
    message = await newest_message(db)
    assert "Nightly backup" in message.text
    assert "members:read" in message.html
    assert secret not in message.text + message.html
    async with system_scope(db):
        event = (await db.scalars(select(AuditEvent).where(AuditEvent.action == "tokens.created"))).one()
    assert (event.actor_type, event.actor_id, event.target_label) == ("user", ada.id, "Nightly backup")
    token = (await db.scalars(select(PersonalToken))).one()
    assert timedelta(days=89) < token.expires_at - clock.now() <= timedelta(days=90)


@pytest.mark.requirement("API-1", "MFA-6")
async def test_only_somebody_who_proved_lately_who_they_are_makes_tokens(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)
    token = await csrf_token(client)
    with clock.travel(CONFIRMED_FOR + timedelta(seconds=1)):
        for answer in (
            await client.get("/account/tokens/new"),
            await client.post(
                "/account/tokens/new",
                data={"name": "Backup", "scopes": "account:read", "csrf_token": token},
                headers={"accept": "text/html"},
            ),
        ):
            assert answer.status_code in (303, 403)
            assert "confirm-identity" in answer.headers.get("location", "confirm-identity")

    assert (await db.scalars(select(PersonalToken))).all() == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "Enter a value."),
        ({"name": "x" * 61}, "Use at most 60 characters."),
        ({"scopes": []}, "Enter a value."),
        ({"scopes": ["everything"]}, "Choose one of the options."),
        ({"days": "36500"}, "Choose one of the options."),
        ({"days": "0"}, "Choose one of the options."),
    ],
)
async def test_a_form_with_mistakes_is_shown_again(
    client: AsyncTestClient, db: AsyncSession, fields: dict[str, Any], message: str
) -> None:
    await add_person(db)
    await log_in(client)
    page = await create(client, **fields)

    assert page.status_code == 422
    assert message in page.text
    assert (await db.scalars(select(PersonalToken))).all() == []


async def test_nobody_has_more_tokens_than_they_can_oversee(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    ada = await add_person(db)
    for _ in range(MOST_TOKENS):
        await add_token(db, settings, ada)
    await log_in(client)

    page = await create(client)
    assert page.status_code == 422
    assert "as many tokens as you can have" in page.text


@pytest.mark.requirement("THR-4")
async def test_making_tokens_has_a_limit_because_each_sends_a_message(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)
    statuses = {(await create(client)).status_code for _ in range(MOST_AN_HOUR)}

    assert statuses == {201}
    assert (await create(client)).status_code == 429


async def test_the_list_shows_what_each_token_may_do_and_costs_two_statements(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, statements: Statements
) -> None:
    ada = await add_person(db)
    token, secret = await add_token(db, settings, ada, name="Nightly", scopes=["members:read"])
    await add_token(db, settings, await add_person(db, "Grace Hopper", "grace@example.com"), name="Not yours")
    await log_in(client)
    with statements() as executed:
        page = await client.get("/account/tokens")

    assert len(executed) <= 2 + len(shell_parts()), "\n".join(executed)
    assert "Nightly" in page.text
    assert token.shown in page.text
    assert "members:read" in page.text
    assert "Not yours" not in page.text
    assert secret[:20] not in page.text


async def test_the_list_begins_with_what_tokens_are_for(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)

    assert "No tokens yet" in (await client.get("/account/tokens")).text
    german = (await client.get("/account/tokens", headers={"accept-language": "de"})).text
    assert "Noch keine Tokens" in german


@pytest.mark.requirement("API-1")
async def test_a_revoked_token_is_dead_at_once(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    ada = await add_person(db)
    token, secret = await add_token(db, settings, ada)
    assert (await client.get("/api/v1/me", headers=bearer(secret))).status_code == 200

    await log_in(client)
    answer = await client.post(f"/account/tokens/{token.id}/revoke", data={"csrf_token": await csrf_token(client)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/tokens")
    assert "Backup is revoked" in (await client.get("/account/tokens")).text
    client.cookies.clear()
    assert (await client.get("/api/v1/me", headers=bearer(secret))).status_code == 401
    async with system_scope(db):
        assert await db.scalar(select(AuditEvent.action).where(AuditEvent.action == "tokens.revoked"))


async def test_other_peoples_tokens_and_missing_ones_are_the_same_404(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    await add_person(db)
    token, secret = await add_token(db, settings, await add_person(db, "Grace Hopper", "grace@example.com"))
    await log_in(client)
    data = {"csrf_token": await csrf_token(client)}
    headers = {"x-csrf-token": data["csrf_token"]}
    for token_id in (token.id, "01900000-0000-7000-8000-000000000000"):
        assert (await client.post(f"/account/tokens/{token_id}/revoke", data=data)).status_code == 404
        assert (await client.delete(f"/api/v1/me/tokens/{token_id}", headers=headers)).status_code == 404

    client.cookies.clear()
    assert (await client.get("/api/v1/me", headers=bearer(secret))).status_code == 200
