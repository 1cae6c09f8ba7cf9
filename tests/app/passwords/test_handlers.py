"""Changing a password, and setting the first."""

from datetime import timedelta

import pytest
from httpx2 import Response
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.challenges import begin_challenge
from app.accounts.models import KnownDevice, LoginChallenge, Password, Session, User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import system_scope
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    NEW_PASSWORD,
    PASSWORD,
    add_person,
    ask_for_reset,
    csrf_token,
    log_in,
    mailed_token,
    newest_message,
    templates_sent,
)

COOKIE = "__Host-session"


async def change(client: AsyncTestClient, current: str = PASSWORD, password: str = NEW_PASSWORD) -> Response:
    form = {"current_password": current, "password": password, "csrf_token": await csrf_token(client)}
    return await client.post("/account/password", data=form)


@pytest.fixture
async def ada(db: AsyncSession) -> User:
    return await add_person(db)


@pytest.mark.requirement("PWD-5", "SES-2", "AUT-7")
async def test_changing_the_password_ends_what_rests_on_the_old_one(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession, ada: User
) -> None:
    await ask_for_reset(client)
    reset_token = await mailed_token(db)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other:
        await log_in(other)
        await log_in(client)
        before = client.cookies[COOKIE]
        await begin_challenge(db, ada, method="password", next_path="", is_remembered=True)
        await db.execute(update(KnownDevice).values(trusted_until=clock.now() + timedelta(days=9)))

        response = await change(client)

        assert (response.status_code, response.headers["location"]) == (303, "/account/password")
        assert (await other.get("/account/password")).status_code == 303
    assert client.cookies[COOKIE] != before
    assert "Your password is changed" in (await client.get("/account/password")).text
    assert (await newest_message(db)).template == "passwords/password_changed"
    assert await db.scalar(select(func.count()).select_from(LoginChallenge)) == 0
    assert set((await db.scalars(select(KnownDevice.trusted_until))).all()) == {None}
    client.cookies.clear()
    form = {"token": reset_token, "password": "another " + NEW_PASSWORD}
    assert (await client.post("/reset-password", data=form)).status_code == 410
    assert (await log_in(client)).status_code == 422
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 303
    async with system_scope(db):
        assert await db.scalar(select(AuditEvent.id).where(AuditEvent.action == "accounts.password_changed"))


@pytest.mark.requirement("PWD-5")
@pytest.mark.parametrize(
    ("current", "password", "says"),
    [
        (NEW_PASSWORD, "eleven geese on the lawn", "not your present password"),
        (PASSWORD, "lovelace2026", "mostly your name"),
        (PASSWORD, "short", "at least 12 characters"),
        ("", NEW_PASSWORD, "Enter a value"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_changes(
    client: AsyncTestClient, db: AsyncSession, ada: User, current: str, password: str, says: str
) -> None:
    await log_in(client)
    before = await db.scalar(select(Password.changed_at))
    response = await change(client, current, password)

    assert response.status_code == 422
    assert says in response.text
    assert f'value="{password}"' not in response.text
    assert await db.scalar(select(Password.changed_at)) == before


@pytest.mark.requirement("PWD-6")
async def test_the_first_password_is_set_by_a_mailed_link_only(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await log_in(client)
    await db.execute(delete(Password))
    page = await client.get("/account/password")
    assert 'type="password"' not in page.text
    assert "Mail me the link" in page.text
    assert (await change(client)).status_code == 422
    assert await db.scalar(select(func.count()).select_from(Password)) == 0

    await client.post("/account/password/first", data={"csrf_token": await csrf_token(client)})
    assert (await newest_message(db)).template == "passwords/first_password"
    assert "We sent you a message" in (await client.get("/account/password")).text
    form = {"token": await mailed_token(db), "password": NEW_PASSWORD, "csrf_token": await csrf_token(client)}
    assert (await client.post("/reset-password", data=form)).headers["location"] == "/log-in"
    assert await db.scalar(select(func.count()).where(Session.revoked_at.is_(None))) == 0
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 303


async def test_somebody_with_a_password_is_sent_no_link_to_a_first_one(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await log_in(client)
    await client.post("/account/password/first", data={"csrf_token": await csrf_token(client)})

    assert await templates_sent(db) == []


@pytest.mark.requirement("THR-4")
async def test_guessing_the_present_password_is_limited(client: AsyncTestClient, ada: User) -> None:
    await log_in(client)
    statuses = [(await change(client, NEW_PASSWORD)).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]


@pytest.mark.requirement("TOK-3", "MFA-6")
async def test_a_reset_does_not_stand_for_the_second_factor(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await db.execute(update(User).values(second_factor_at=clock.now()))
    await ask_for_reset(client)
    form = {"token": await mailed_token(db), "password": NEW_PASSWORD}
    assert (await client.post("/reset-password", data=form)).headers["location"] == "/log-in"
    assert COOKIE not in client.cookies

    assert (await log_in(client, password=NEW_PASSWORD)).headers["location"] == "/log-in/two-factor"
    assert COOKIE not in client.cookies


async def test_messages_are_in_the_language_of_who_reads_them(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await db.execute(update(User).values(locale="de"))
    await ask_for_reset(client)

    assert (await newest_message(db)).locale == "de"


async def test_strangers_are_led_to_the_log_in(client: AsyncTestClient) -> None:
    assert (await client.get("/account/password")).headers["location"] == "/log-in?next=/account/password"
