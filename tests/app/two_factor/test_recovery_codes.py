"""Recovery codes: ten, shown once, each good once."""

from dataclasses import replace

import anyio
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.database import Database
from app.email.models import EmailMessage
from app.main import create_app
from app.two_factor import recovery_codes
from app.two_factor.models import RecoveryCode
from core.datastructures import Secret
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in, templates_sent
from tests.app.two_factor.holding import (
    ACCOUNT,
    CHALLENGE,
    CODE,
    code_of,
    is_logged_in,
    person_with_app,
    post,
    recorded,
    set_up_app,
)

BY_CODE = f"{CHALLENGE}/recovery-code"


async def count_unused(db: AsyncSession) -> int:
    return await db.scalar(select(func.count()).where(RecoveryCode.used_at.is_(None))) or 0


async def text_of(db: AsyncSession, template: str) -> str:
    """The text of the newest message made from a template."""
    statement = select(EmailMessage.text).where(EmailMessage.template == template).order_by(EmailMessage.id.desc())
    return str(await db.scalar(statement.limit(1)))


@pytest.mark.requirement("MFA-5")
async def test_codes_are_long_different_and_hashed(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    _, _, codes = await person_with_app(client, db)
    stored = list(await db.scalars(select(RecoveryCode.code_hash)))

    assert len(set(codes)) == len(stored) == 10
    assert len(recovery_codes.ALPHABET) ** recovery_codes.CHARACTERS >= 2**64
    assert all(code.replace("-", "").encode() not in hashed for code in codes for hashed in stored)


@pytest.mark.requirement("MFA-5", "AUT-7")
async def test_a_code_lets_in_once_and_the_person_is_told(client: AsyncTestClient, db: AsyncSession) -> None:
    _, _, codes = await person_with_app(client, db)
    await log_in(client)
    assert (await client.post(BY_CODE, data={"code": codes[0].upper().replace("-", " ")})).status_code == 303
    assert await is_logged_in(client)
    assert "9 recovery codes left" in await text_of(db, "two_factor/recovery_code_used")
    assert "two_factor.recovery_code_used" in await recorded(db)

    client.cookies.clear()
    await log_in(client)
    again = await client.post(BY_CODE, data={"code": codes[0]})
    assert again.status_code == 422
    assert not await is_logged_in(client)
    assert await count_unused(db) == 9


@pytest.mark.requirement("MFA-5")
async def test_of_two_uses_at_once_one_succeeds(settings: Settings, fresh_database: Database) -> None:
    app, statuses = create_app(settings, database=fresh_database), []
    async with (
        AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as one,
        AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other,
    ):
        async with fresh_database.transaction() as db:
            await add_person(db)
        await log_in(one)
        _, page = await set_up_app(one)
        one.cookies.clear()
        code = CODE.findall(page.text)[0]

        async def use(client: AsyncTestClient) -> None:
            await log_in(client)
            statuses.append((await client.post(BY_CODE, data={"code": code})).status_code)

        async with anyio.create_task_group() as group:
            group.start_soon(use, one)
            group.start_soon(use, other)

    assert sorted(statuses) == [303, 422]


@pytest.mark.requirement("MFA-5")
async def test_new_codes_end_the_old_ones_and_are_shown_once(client: AsyncTestClient, db: AsyncSession) -> None:
    _, secret, old = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret)})
    page = await post(client, f"{ACCOUNT}/recovery-codes")
    new = CODE.findall(page.text)

    assert len(new) == 10
    assert not set(new) & set(old)
    assert page.headers["cache-control"] == "no-store"
    for path in (ACCOUNT, f"{ACCOUNT}/recovery-codes"):
        shown = (await client.get(path)).text
        assert not any(code in shown for code in new)
    assert ("two_factor/recovery_codes_replaced", "ada@example.com") in await templates_sent(db)
    client.cookies.clear()
    await log_in(client)
    assert (await client.post(BY_CODE, data={"code": old[0]})).status_code == 422
    assert (await client.post(BY_CODE, data={"code": new[0]})).status_code == 303


@pytest.mark.requirement("MFA-5")
async def test_few_codes_left_are_warned_of_on_the_page_and_by_mail(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    user, _, codes = await person_with_app(client, db)
    for code in codes[:6]:
        assert await recovery_codes.use_code(db, settings, user, code)
    await db.flush()
    await log_in(client)
    await client.post(BY_CODE, data={"code": codes[6]})

    assert "3 recovery codes left" in (await client.get(ACCOUNT)).text
    assert "Make new ones now" in await text_of(db, "two_factor/recovery_code_used")


async def test_letters_that_look_like_digits_count_as_those(db: AsyncSession, settings: Settings) -> None:
    user = await add_person(db)
    codes = await recovery_codes.replace_codes(db, settings, user)
    mistaken = {code: code.replace("0", "O").replace("1", "l") for code in codes}

    for code, typed in mistaken.items():
        assert await recovery_codes.use_code(db, settings, user, typed), (code, typed)


@pytest.mark.requirement("KEY-2")
async def test_codes_outlive_a_change_of_the_secret_key(db: AsyncSession, settings: Settings) -> None:
    user = await add_person(db)
    codes = await recovery_codes.replace_codes(db, settings, user)
    rotated = replace(settings, secret_key=Secret("x" * 50), secret_key_fallbacks=(settings.secret_key,))

    assert await recovery_codes.use_code(db, rotated, user, codes[0])
    assert not await recovery_codes.use_code(db, replace(rotated, secret_key_fallbacks=()), user, codes[1])
