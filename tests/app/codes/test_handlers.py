"""Logging in by a mailed link or code."""

from datetime import timedelta

import anyio
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.codes import MOST_ATTEMPTS
from app.accounts.models import OneTimeToken, Password, Purpose, Session, User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import Database, system_scope
from app.main import create_app
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    PASSWORD,
    add_person,
    ask_for_log_in,
    log_in,
    mailed_code,
    mailed_link,
    mailed_token,
    newest_message,
    sign_up,
    templates_sent,
)

COOKIE = "__Host-session"


async def type_code(client: AsyncTestClient, code: str) -> int:
    return (await client.post("/log-in/code/sent", data={"code": code})).status_code


async def use_link(client: AsyncTestClient, token: str) -> int:
    return (await client.post("/log-in/code/link", data={"token": token})).status_code


def wrong(code: str) -> str:
    """Another code than this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"


@pytest.mark.requirement("TOK-1", "AUT-7")
async def test_the_code_logs_in_the_browser_that_asked_for_it(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    response = await ask_for_log_in(client, next="/account/sessions")
    assert (response.status_code, response.headers["location"]) == (303, "/log-in/code/sent")
    page = await client.get("/log-in/code/sent")
    assert "a•••@example.com" in page.text

    response = await client.post("/log-in/code/sent", data={"code": await mailed_code(db)})
    assert (response.status_code, response.headers["location"]) == (303, "/account/sessions")
    assert (await client.get("/account/sessions")).status_code == 200
    session = (await db.scalars(select(Session))).one()
    assert (session.user_id, session.authentication_methods) == (user.id, ["code"])


@pytest.mark.requirement("TOK-2", "CSR-2")
async def test_the_link_shows_a_button_and_the_button_logs_in(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await ask_for_log_in(client)
    link = await mailed_link(db)
    for _ in range(3):
        response = await client.get(link)
        assert response.headers["referrer-policy"] == "no-referrer"
        page = await client.get(response.headers["location"])
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "ada@example.com" in page.text
    assert COOKIE not in client.cookies

    response = await client.post("/log-in/code/link", data={"token": await mailed_token(db)})
    assert (response.status_code, response.headers["location"]) == (303, "/o")
    assert (await db.scalars(select(Session.authentication_methods))).one() == ["link"]


@pytest.mark.parametrize("spelling", ["{0}", " {0} ", "{1} {2}", "{1}-{2}"])
async def test_a_code_may_be_typed_with_blanks(client: AsyncTestClient, db: AsyncSession, spelling: str) -> None:
    await add_person(db)
    await ask_for_log_in(client)
    code = await mailed_code(db)

    assert await type_code(client, spelling.format(code, code[:3], code[3:])) == 303


async def test_a_code_may_be_typed_in_full_width_digits(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await ask_for_log_in(client)
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in await mailed_code(db))

    assert await type_code(client, wide) == 303


@pytest.mark.requirement("TOK-1")
async def test_a_code_is_worth_nothing_in_another_browser(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    await add_person(db)
    await ask_for_log_in(client)
    code = await mailed_code(db)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other:
        await ask_for_log_in(other, "nobody@example.com")
        assert await type_code(other, code) == 422
    assert await type_code(client, code) == 303


@pytest.mark.requirement("TOK-1")
async def test_five_wrong_codes_end_the_right_one(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await ask_for_log_in(client)
    code = await mailed_code(db)
    answers = [await type_code(client, wrong(code)) for _ in range(MOST_ATTEMPTS)]

    assert answers == [422] * MOST_ATTEMPTS
    assert await type_code(client, code) == 422
    async with system_scope(db):
        refused = select(func.count()).where(AuditEvent.action == "accounts.log_in_refused")
        assert await db.scalar(refused) == MOST_ATTEMPTS + 1


@pytest.mark.requirement("TOK-1")
@pytest.mark.parametrize(
    ("after", "status"), [(timedelta(minutes=15, seconds=-2), 303), (timedelta(minutes=15, seconds=2), 422)]
)
async def test_a_code_works_for_a_quarter_of_an_hour(
    client: AsyncTestClient, db: AsyncSession, after: timedelta, status: int
) -> None:
    await add_person(db)
    await ask_for_log_in(client)
    code = await mailed_code(db)

    with clock.travel(after):
        assert await type_code(client, code) == status


@pytest.mark.requirement("TOK-1")
async def test_code_and_link_are_one_and_work_once(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await ask_for_log_in(client)
    code, token = await mailed_code(db), await mailed_token(db)
    assert await use_link(client, token) == 303
    client.cookies.delete(COOKIE)

    assert await type_code(client, code) in (303, 422)
    assert COOKIE not in client.cookies
    assert await use_link(client, token) == 410
    page = await client.get("/log-in/code/link", follow_redirects=True)
    assert page.status_code == 410
    assert "does not work any more" in page.text


@pytest.mark.requirement("TOK-1")
async def test_links_of_other_purposes_do_not_log_in(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await client.post("/forgot-password", data={"email": "ada@example.com"})
    assert await use_link(client, await mailed_token(db)) == 410

    await ask_for_log_in(client)
    form = {"token": await mailed_token(db), "password": PASSWORD + "!"}
    assert (await client.post("/reset-password", data=form)).status_code == 410
    assert (await client.post("/verify-email", data=form)).status_code == 410


@pytest.mark.requirement("TOK-1", "PWD-5")
async def test_a_link_dies_with_the_password(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await ask_for_log_in(client)
    code, token = await mailed_code(db), await mailed_token(db)
    await db.execute(
        update(Password).where(Password.user_id == user.id).values(changed_at=clock.now() + timedelta(seconds=1))
    )

    assert await use_link(client, token) == 410
    assert await type_code(client, code) == 422


@pytest.mark.requirement("AUT-6")
async def test_somebody_who_was_locked_meanwhile_stays_out(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await ask_for_log_in(client)
    await db.execute(update(User).where(User.id == user.id).values(status="locked"))

    assert await type_code(client, await mailed_code(db)) == 422
    assert await use_link(client, await mailed_token(db)) == 410


async def test_an_address_without_an_account_is_told_so_by_mail(client: AsyncTestClient, db: AsyncSession) -> None:
    response = await ask_for_log_in(client, "nobody@example.com")

    assert response.headers["location"] == "/log-in/code/sent"
    assert await templates_sent(db) == [("codes/unknown_address", "nobody@example.com")]
    assert await type_code(client, "123456") == 422


@pytest.mark.requirement("AUT-5")
async def test_reading_the_mail_makes_a_claim_the_readers_own_and_forgets_the_password_of_who_made_it(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await sign_up(client, name="Mallory")
    client.cookies.clear()
    await ask_for_log_in(client)
    assert await type_code(client, await mailed_code(db)) == 303
    assert (await client.get("/o")).headers["location"] == "/o/mallory"

    client.cookies.clear()
    assert (await log_in(client, password=PASSWORD)).status_code == 422


async def test_the_session_is_remembered_if_that_was_asked_for(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    for remember in ("true", ""):
        client.cookies.delete(COOKIE) if COOKIE in client.cookies else None
        await ask_for_log_in(client, remember=remember)
        response = await client.post("/log-in/code/sent", data={"code": await mailed_code(db)})
        cookie = next(value for value in response.headers.get_list("set-cookie") if value.startswith(COOKIE))
        assert ("max-age" in cookie.lower()) is bool(remember)


async def test_the_pages_that_follow_a_message_lead_to_its_beginning_without_one(client: AsyncTestClient) -> None:
    assert (await client.get("/log-in/code/sent")).headers["location"] == "/log-in/code"
    assert (await client.get("/log-in/code/link")).status_code == 410


@pytest.mark.parametrize("email", ["", "nowhere", "a@b"])
async def test_what_is_no_address_is_refused(client: AsyncTestClient, email: str) -> None:
    assert (await ask_for_log_in(client, email)).status_code == 422


@pytest.mark.requirement("THR-4")
async def test_asking_and_guessing_are_limited(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    statuses = [(await ask_for_log_in(client)).status_code for _ in range(6)]
    assert statuses == [303] * 5 + [429]
    guesses = [await type_code(client, "000000") for _ in range(12)]
    assert guesses.count(429) == 2


@pytest.mark.requirement("THR-2", "THR-4")
async def test_an_address_gets_five_codes_an_hour_and_its_link_works_all_the_same(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    await add_person(db)
    guesses = 0
    for network in range(1, 7):
        place = (f"192.0.2.{network}", 1)
        async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False, client=place) as stranger:
            await ask_for_log_in(stranger)
            has_code = (await newest_message(db)).subject != "Your link for Slipway"
            guesses += MOST_ATTEMPTS * has_code
    assert guesses == 25
    assert "several were asked for in the last hour" in (await newest_message(db)).text
    await ask_for_log_in(client)
    assert await use_link(client, await mailed_token(db)) == 303

    with clock.travel(timedelta(hours=1, seconds=1)):
        client.cookies.clear()
        await ask_for_log_in(client)
        assert await type_code(client, await mailed_code(db)) == 303


@pytest.mark.requirement("TOK-1")
async def test_of_many_uses_at_once_one_logs_in_and_only_five_wrong_ones_count(
    settings: Settings, fresh_database: Database
) -> None:
    app = create_app(settings, database=fresh_database)
    async with fresh_database.transaction() as db:
        await add_person(db)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        await ask_for_log_in(client)
        async with fresh_database.transaction() as db:
            code = await mailed_code(db)
        state = {"cookie": f"__Host-state={client.cookies['__Host-state']}"}
    statuses: list[int] = []

    async def attempt(network: int) -> None:
        one = AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False, client=(f"192.0.2.{network}", 1))
        statuses.append((await one.post("/log-in/code/sent", data={"code": code}, headers=state)).status_code)
        await one.aclose()

    async with anyio.create_task_group() as group:
        for network in range(12):
            group.start_soon(attempt, network)
    assert sorted(statuses) == [303] + [422] * 11
    async with fresh_database.transaction() as db:
        row = (await db.scalars(select(OneTimeToken).where(OneTimeToken.purpose == Purpose.LOG_IN))).one()
        assert row.attempts == 1
        assert await db.scalar(select(func.count()).select_from(Session)) == 1
