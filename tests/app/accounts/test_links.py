"""Mailed links: once, for one purpose, for one address, for a while (TOK-1, TOK-3)."""

from datetime import timedelta

import anyio
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, OneTimeToken, Purpose, Session
from app.accounts.sessions import hash_token
from app.config import Settings
from app.database import Database
from app.main import create_app
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    NEW_PASSWORD,
    PASSWORD,
    add_person,
    ask_for_reset,
    csrf_token,
    log_in,
    mailed_link,
    mailed_token,
    newest_message,
    sign_up,
    templates_sent,
)


async def verify(client: AsyncTestClient, token: str) -> int:
    return (await client.post("/verify-email", data={"token": token})).status_code


async def reset(client: AsyncTestClient, token: str, password: str = NEW_PASSWORD) -> int:
    return (await client.post("/reset-password", data={"token": token, "password": password})).status_code


@pytest.mark.requirement("TOK-3")
async def test_a_new_password_is_set_by_mail_and_ends_every_session(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    await add_person(db)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other_browser:
        await log_in(other_browser)
        response = await ask_for_reset(client)
        assert (response.status_code, response.headers["location"]) == (303, "/forgot-password/sent")
        assert "a•••@example.com" in (await client.get("/forgot-password/sent")).text

        page = await client.get(await mailed_link(db), follow_redirects=True)
        assert "ada@example.com" in page.text
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "token" not in str(page.url)
        response = await client.post(
            "/reset-password", data={"token": await mailed_token(db), "password": NEW_PASSWORD}
        )
        assert (response.status_code, response.headers["location"]) == (303, "/log-in")
        assert "Your password is changed" in (await client.get("/log-in")).text
        assert (await other_browser.get("/o/ada-lovelace")).status_code == 303
    assert (await newest_message(db)).template == "passwords/password_changed"
    assert (await log_in(client)).status_code == 422
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 303


async def test_a_reset_in_the_browser_that_is_logged_in_logs_it_out(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    token = await csrf_token(client)
    await client.post("/forgot-password", data={"email": "ada@example.com", "csrf_token": token})
    form = {"token": await mailed_token(db), "password": NEW_PASSWORD, "csrf_token": token}
    await client.post("/reset-password", data=form)

    assert "__Host-session" not in client.cookies


@pytest.mark.requirement("TOK-1")
@pytest.mark.parametrize(
    ("after", "works"), [(timedelta(hours=24, seconds=-2), True), (timedelta(hours=24, seconds=2), False)]
)
async def test_a_link_that_verifies_works_for_a_day(
    client: AsyncTestClient, db: AsyncSession, after: timedelta, works: bool
) -> None:
    await sign_up(client)
    token = await mailed_token(db)

    with clock.travel(after):
        assert (await verify(client, token) == 303) is works


@pytest.mark.requirement("TOK-1")
@pytest.mark.parametrize(
    ("after", "works"), [(timedelta(minutes=30, seconds=-2), True), (timedelta(minutes=30, seconds=2), False)]
)
async def test_a_link_that_resets_works_for_half_an_hour(
    client: AsyncTestClient, db: AsyncSession, after: timedelta, works: bool
) -> None:
    await add_person(db)
    await ask_for_reset(client)
    token = await mailed_token(db)

    with clock.travel(after):
        assert (await reset(client, token) == 303) is works


@pytest.mark.requirement("TOK-1")
async def test_a_link_works_once(client: AsyncTestClient, db: AsyncSession) -> None:
    await sign_up(client)
    token = await mailed_token(db)
    assert await verify(client, token) == 303
    assert await verify(client, token) == 410
    page = await client.get(f"/verify-email?token={token}", follow_redirects=True)
    assert page.status_code == 410
    assert "does not work any more" in page.text

    await ask_for_reset(client)
    token = await mailed_token(db)
    assert await reset(client, token) == 303
    assert await reset(client, token) == 410


@pytest.mark.requirement("TOK-1")
async def test_a_link_works_for_its_own_purpose_only(client: AsyncTestClient, db: AsyncSession) -> None:
    await sign_up(client)
    of_verification = await mailed_token(db)
    await ask_for_reset(client)
    of_reset = await mailed_token(db)

    assert await reset(client, of_verification) == 410
    assert await verify(client, of_reset) == 410
    assert await verify(client, of_verification) == 303
    assert await reset(client, of_reset) == 303


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 201, "\x00", "é" * 43, "' OR 1=1 --"])
async def test_what_is_no_token_does_nothing(client: AsyncTestClient, token: str) -> None:
    assert await verify(client, token) == 410
    assert await reset(client, token) in (410, 422)
    assert (await client.get("/reset-password", params={"token": token}, follow_redirects=True)).status_code == 410


@pytest.mark.requirement("TOK-3")
async def test_the_newest_reset_link_replaces_older_ones(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await ask_for_reset(client)
    older = await mailed_token(db)
    await ask_for_reset(client)
    newest = await mailed_token(db)

    assert await reset(client, older) == 410
    assert await reset(client, newest) == 303


@pytest.mark.requirement("TOK-1")
async def test_a_link_dies_with_the_address_that_it_was_sent_to(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await ask_for_reset(client)
    token = await mailed_token(db)
    await db.execute(update(Email).values(address="ada.lovelace@example.com"))

    assert await reset(client, token) == 410


@pytest.mark.requirement("TOK-1")
async def test_a_link_that_verifies_dies_with_the_password_that_was_set_meanwhile(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await sign_up(client)
    of_verification = await mailed_token(db)
    await ask_for_reset(client)
    await reset(client, await mailed_token(db))

    assert await verify(client, of_verification) == 410


async def test_a_guessable_new_password_is_refused_and_the_link_still_works(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await ask_for_reset(client)
    token = await mailed_token(db)
    response = await client.post("/reset-password", data={"token": token, "password": "lovelace2026"})

    assert response.status_code == 422
    assert "mostly your name" in response.text
    assert "lovelace2026" not in response.text
    assert f'value="{token}"' in response.text
    assert await reset(client, token, "short") == 422
    assert await reset(client, token) == 303


@pytest.mark.requirement("AUT-5")
async def test_resetting_the_password_of_a_claim_makes_it_the_readers_own(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    """Whoever signed up with the address first chose a password, and loses it (AUT-5)."""
    await sign_up(client, name="Mallory")
    client.cookies.clear()
    await ask_for_reset(client)
    await reset(client, await mailed_token(db))

    assert (await log_in(client, password=PASSWORD)).status_code == 422
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 303
    assert (await client.get("/o")).headers["location"] == "/o/mallory"


async def test_an_address_without_an_account_is_told_so_by_mail(client: AsyncTestClient, db: AsyncSession) -> None:
    response = await ask_for_reset(client, "nobody@example.com")

    assert response.headers["location"] == "/forgot-password/sent"
    assert await templates_sent(db) == [("passwords/unknown_address", "nobody@example.com")]
    assert await db.scalar(select(func.count()).select_from(OneTimeToken)) == 0


@pytest.mark.requirement("AUT-4")
async def test_a_reset_goes_to_the_address_as_we_know_it(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await ask_for_reset(client, "ADA@example.com")

    assert await templates_sent(db) == [("passwords/reset_password", "ada@example.com")]


@pytest.mark.requirement("HST-1")
async def test_links_lead_to_the_configured_site_whatever_the_request_says(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    forged = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    await client.post("/forgot-password", data={"email": "ada@example.com"}, headers=forged)

    message = await newest_message(db)
    assert "https://slipway.test/reset-password?token=" in message.text
    assert "evil" not in message.text + message.html


@pytest.mark.requirement("THR-4")
async def test_asking_for_links_is_limited(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    statuses = [(await ask_for_reset(client)).status_code for _ in range(7)]

    assert statuses == [303] * 5 + [429] * 2
    assert len(await templates_sent(db)) == 5


@pytest.mark.requirement("TOK-1")
@pytest.mark.parametrize("purpose", [Purpose.VERIFY, Purpose.RESET])
async def test_of_fifty_uses_at_once_one_succeeds(
    settings: Settings, fresh_database: Database, purpose: Purpose
) -> None:
    app = create_app(settings, database=fresh_database)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        await sign_up(client)
        async with fresh_database.transaction() as db:
            token = await mailed_token(db)
        if purpose is Purpose.RESET:
            await verify(client, token)
            await ask_for_reset(client)
            async with fresh_database.transaction() as db:
                token = await mailed_token(db)
        statuses: list[int] = []

        async def use(network: int) -> None:
            one = AsyncTestClient(
                app, base_url=settings.base_url, follow_redirects=False, client=(f"192.0.2.{network}", 1)
            )
            use_link = verify if purpose is Purpose.VERIFY else reset
            statuses.append(await use_link(one, token))
            await one.aclose()

        async with anyio.create_task_group() as group:
            for network in range(50):
                group.start_soon(use, network)
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 410, 503}
    async with fresh_database.transaction() as db:
        used = select(func.count()).where(
            OneTimeToken.token_hash == hash_token(token), OneTimeToken.used_at.is_not(None)
        )
        assert await db.scalar(used) == 1
        assert await db.scalar(select(func.count()).select_from(Session)) == 0
