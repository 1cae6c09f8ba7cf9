"""The authenticator app: set up, used once a step, removed."""

from datetime import timedelta

import anyio
import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.database import Database
from app.encryption import decrypt
from app.main import create_app
from app.two_factor import authenticator_app
from app.two_factor.models import Totp
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in, templates_sent
from tests.app.two_factor.holding import (
    ACCOUNT,
    CHALLENGE,
    code_of,
    is_logged_in,
    person_with_app,
    post,
    recorded,
    set_up_app,
)


async def since_when(db: AsyncSession, user: User) -> object:
    return await db.scalar(select(User.second_factor_at).where(User.id == user.id))


async def test_an_app_is_set_up_by_a_code_from_it_and_shows_ten_recovery_codes(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    user, _, codes = await person_with_app(client, db)

    assert len(set(codes)) == 10
    assert await since_when(db, user) is not None
    assert ("two_factor/second_factor_on", "ada@example.com") in await templates_sent(db)
    assert {"two_factor.app_added", "two_factor.turned_on"} <= set(await recorded(db))


async def test_opening_the_page_makes_no_key(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    await client.get(f"{ACCOUNT}/app")

    assert await db.scalar(select(Totp.id)) is None


@pytest.mark.requirement("MFA-3")
async def test_a_wrong_first_code_turns_nothing_on(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await log_in(client)
    await post(client, f"{ACCOUNT}/app")
    response = await post(client, f"{ACCOUNT}/app/confirm", code="000000")

    assert response.status_code == 422
    assert await since_when(db, user) is None
    await post(client, "/log-out")
    await log_in(client)
    assert await is_logged_in(client)


@pytest.mark.requirement("MFA-3")
async def test_guessing_the_first_code_ends_after_five_attempts(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    await post(client, f"{ACCOUNT}/app")
    answers = [(await post(client, f"{ACCOUNT}/app/confirm", code="000000")).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


@pytest.mark.requirement("MFA-3")
async def test_setting_up_needs_a_recent_proof(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        page = await client.get(f"{ACCOUNT}/app")
        begun = await post(client, f"{ACCOUNT}/app")

    assert page.headers["location"].startswith("/confirm-identity")
    assert begun.headers["location"].startswith("/confirm-identity")
    assert await db.scalar(select(Totp.id)) is None


async def test_a_key_that_waits_for_an_hour_is_thrown_away(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await log_in(client)
    await post(client, f"{ACCOUNT}/app")
    totp = await db.scalar(select(Totp).where(Totp.user_id == user.id))
    assert totp is not None
    assert authenticator_app.is_waiting(totp)
    with time_machine.travel(clock.now() + timedelta(minutes=61), tick=False):
        assert not authenticator_app.is_waiting(totp)


@pytest.mark.requirement("MFA-2")
async def test_a_code_finishes_the_log_in_and_leads_to_the_page_asked_for(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    _, secret, _ = await person_with_app(client, db)
    first = await log_in(client, next="/account/passkeys")
    assert first.headers["location"] == CHALLENGE
    assert not await is_logged_in(client)

    response = await client.post(CHALLENGE, data={"code": code_of(secret)})

    assert (response.status_code, response.headers["location"]) == (303, "/account/passkeys")
    assert await is_logged_in(client)


@pytest.mark.requirement("MFA-2")
@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_one_step_to_either_side_is_accepted(client: AsyncTestClient, db: AsyncSession, steps: int) -> None:
    user, secret, _ = await person_with_app(client, db)
    totp = await db.scalar(select(Totp).where(Totp.user_id == user.id))
    assert totp is not None
    totp.last_used_step = None
    await db.flush()
    await log_in(client)

    assert (await client.post(CHALLENGE, data={"code": code_of(secret, steps=steps)})).status_code == 303


@pytest.mark.requirement("MFA-2")
@pytest.mark.parametrize("steps", [-2, 2])
async def test_two_steps_to_either_side_are_refused(client: AsyncTestClient, db: AsyncSession, steps: int) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    page = await client.post(CHALLENGE, data={"code": code_of(secret, steps=steps)})

    assert page.status_code == 422
    assert "not right" in page.text


def spaced(code: str) -> str:
    return f"{code[:3]} {code[3:]}"


def full_width(code: str) -> str:
    return "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)


@pytest.mark.requirement("MFA-2")
@pytest.mark.parametrize("spelling", [str, spaced, full_width, lambda code: f"{code[:3]}-{code[3:]}"])
async def test_a_code_works_once_in_whatever_spelling(
    client: AsyncTestClient, db: AsyncSession, spelling: type[str]
) -> None:
    _, secret, _ = await person_with_app(client, db)
    code = code_of(secret)
    await log_in(client)
    assert (await client.post(CHALLENGE, data={"code": spelling(code)})).status_code == 303

    client.cookies.clear()
    await log_in(client)
    for again in (code, spaced(code), full_width(code), code_of(secret, steps=-1)):
        assert (await client.post(CHALLENGE, data={"code": again})).status_code == 422


@pytest.mark.requirement("MFA-2")
async def test_of_two_log_ins_with_one_code_at_once_one_succeeds(settings: Settings, fresh_database: Database) -> None:
    app = create_app(settings, database=fresh_database)
    async with (
        AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as one,
        AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other,
    ):
        async with fresh_database.transaction() as db:
            await add_person(db)
        await log_in(one)
        secret, _ = await set_up_app(one)
        one.cookies.clear()
        code, answers = code_of(secret), []

        async def answer(client: AsyncTestClient) -> None:
            await log_in(client)
            answers.append((await client.post(CHALLENGE, data={"code": code})).status_code)

        async with anyio.create_task_group() as group:
            group.start_soon(answer, one)
            group.start_soon(answer, other)

    assert sorted(answers) == [303, 422]


@pytest.mark.requirement("MFA-2", "KEY-3")
async def test_the_secret_is_encrypted_for_its_row(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    user, secret, _ = await person_with_app(client, db)
    totp = await db.scalar(select(Totp).where(Totp.user_id == user.id))
    assert totp is not None

    assert secret.encode() not in totp.secret
    assert decrypt(settings.keys("totp"), totp.secret, table="totp", row_id=totp.id) == secret.encode()


@pytest.mark.requirement("MFA-3", "AUT-7")
async def test_removing_the_app_takes_a_factor_and_tells_the_person(client: AsyncTestClient, db: AsyncSession) -> None:
    user, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret)})
    assert (await post(client, f"{ACCOUNT}/app/remove", code="")).status_code == 422
    assert (await post(client, f"{ACCOUNT}/app/remove", code="000000")).status_code == 422
    assert await since_when(db, user) is not None

    response = await post(client, f"{ACCOUNT}/app/remove", code=code_of(secret, steps=1))

    assert response.status_code == 303
    assert await since_when(db, user) is None
    assert ("two_factor/second_factor_off", "ada@example.com") in await templates_sent(db)
    client.cookies.clear()
    await log_in(client)
    assert await is_logged_in(client)


async def test_a_second_app_is_not_set_up_over_the_first(client: AsyncTestClient, db: AsyncSession) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret)})
    before = await db.scalar(select(Totp.id))
    await post(client, f"{ACCOUNT}/app")

    assert await db.scalar(select(Totp.id)) == before
