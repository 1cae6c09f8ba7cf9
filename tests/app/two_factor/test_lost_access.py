"""Somebody who lost every second factor: they ask, wait, are told, and remove them; whoever still has one keeps them."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, Password, Session, User
from app.config import Settings
from app.database import system_scope
from app.ids import uuid7
from app.jobs.registry import JobContext
from app.organizations.models import Organization
from app.two_factor import lost_access
from app.two_factor.jobs import tell_lost_access
from app.two_factor.models import LostAccess, Outcome, RecoveryCode, Totp
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    NEW_PASSWORD,
    PASSWORD,
    ask_for_log_in,
    ask_for_reset,
    log_in,
    mailed_code,
    mailed_token,
    newest_message,
    templates_sent,
    visitor,
)
from tests.app.two_factor.authenticator import Authenticator
from tests.app.two_factor.holding import (
    CHALLENGE,
    add_passkey,
    code_of,
    is_logged_in,
    log_in_with_passkey,
    person_with_app,
    post,
    recorded,
)
from tests.databases import RolledBackDatabase

Statements = Callable[[], AbstractContextManager[list[str]]]
LOST = f"{CHALLENGE}/lost-access"
STOP = "/log-in/lost-access/stop"
FINISH = "/log-in/lost-access/finish"
SECOND = "ada@work.example"
WEEK = timedelta(days=7)


@pytest.fixture
async def secret(client: AsyncTestClient, db: AsyncSession) -> str:
    """The secret of somebody with an app and two addresses, who waits to give a second proof."""
    user, secret, _ = await person_with_app(client, db)
    db.add(Email(id=uuid7(), user_id=user.id, address=SECOND, verified_at=clock.now()))
    db.add(Email(id=uuid7(), user_id=user.id, address="unproved@example.com"))
    await db.flush()
    assert (await log_in(client)).headers["location"] == CHALLENGE
    return secret


async def ask(client: AsyncTestClient) -> None:
    response = await client.post(LOST)
    assert (response.status_code, response.headers["location"]) == (303, LOST)


async def mind(database: RolledBackDatabase, settings: Settings) -> None:
    """What the worker does every hour."""
    await tell_lost_access(JobContext(settings, database))


async def token_in_mail(db: AsyncSession, path: str, to: str = "ada@example.com") -> str:
    found = re.search(rf"{path}\?token=(\S+)", (await newest_message(db, to)).text)
    assert found is not None
    return found[1]


async def outcome(db: AsyncSession) -> str | None:
    return (await db.scalars(select(LostAccess.outcome))).one()


async def notices(db: AsyncSession, template: str) -> list[str]:
    return [to for name, to in await templates_sent(db) if name == f"two_factor/lost_access_{template}"]


async def finish(client: AsyncTestClient, token: str, password: str = PASSWORD) -> int:
    return (await client.post(FINISH, data={"token": token, "password": password})).status_code


@pytest.mark.requirement("MFA-8", "AUT-7")
async def test_after_a_week_the_link_and_the_password_remove_every_factor(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, database: RolledBackDatabase
) -> None:
    assert "Ask for it" in (await client.get(LOST)).text
    await ask(client)
    assert await notices(db, "asked") == ["ada@example.com", SECOND]
    assert "You have asked for it" in (await client.get(LOST)).text

    with clock.travel(WEEK):
        await mind(database, settings)
        assert await notices(db, "ready") == ["ada@example.com", SECOND]
        client.cookies.clear()
        token = await token_in_mail(db, FINISH)
        shown = await client.get(f"{FINISH}?token={token}")
        assert (shown.status_code, shown.headers["location"]) == (303, FINISH)
        assert "Remove your second factors" in (await client.get(FINISH)).text
        assert await finish(client, token) == 303

        assert await notices(db, "finished") == ["ada@example.com", SECOND]
        assert await finish(client, token) == 410
        assert (await log_in(client)).headers["location"] == "/o"
    assert await db.scalar(select(User.second_factor_at)) is None
    assert await db.scalar(select(func.count()).select_from(Totp)) == 0
    assert await db.scalar(select(func.count()).where(RecoveryCode.used_at.is_(None))) == 0
    assert await outcome(db) == Outcome.FINISHED
    happened = await recorded(db)
    assert "two_factor.lost_access_asked" in happened
    assert "two_factor.turned_off" in happened
    assert "two_factor.lost_access_finished" in happened


@pytest.mark.requirement("MFA-8")
async def test_before_the_time_and_long_after_it_there_is_no_link_that_works(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, database: RolledBackDatabase
) -> None:
    await ask(client)
    request = (await db.scalars(select(LostAccess))).one()
    token = lost_access.finish_token(settings, request)
    with clock.travel(WEEK - timedelta(seconds=5)):
        assert await finish(client, token) == 410
    with clock.travel(WEEK + lost_access.USABLE_FOR):
        assert await finish(client, token) == 410
        await mind(database, settings)
    assert await outcome(db) == Outcome.EXPIRED
    assert "two_factor.lost_access_expired" in await recorded(db)
    # The link that stops is not one that removes.
    assert await finish(client, lost_access.stop_token(settings, request)) == 410


@pytest.mark.requirement("MFA-8")
async def test_the_password_is_needed_and_guesses_at_it_are_limited(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, database: RolledBackDatabase
) -> None:
    await ask(client)
    with clock.travel(WEEK):
        await mind(database, settings)
        token = await token_in_mail(db, FINISH)
        guesses = [await finish(client, token, "not the right password at all") for _ in range(11)]
    assert guesses == [422] * 10 + [429]
    assert (await recorded(db)).count("two_factor.lost_access_refused") == 10
    assert await db.scalar(select(func.count()).select_from(Totp)) == 1


@pytest.mark.requirement("MFA-8")
async def test_the_link_in_any_message_shows_a_button_that_stops_it(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, database: RolledBackDatabase
) -> None:
    await ask(client)
    client.cookies.clear()
    token = await token_in_mail(db, STOP, SECOND)
    await client.get(f"{STOP}?token={token}")
    assert "Keep your second factors" in (await client.get(STOP)).text
    assert await outcome(db) is None

    response = await client.post(STOP, data={"token": token})
    assert response.headers["location"] == "/forgot-password"
    assert await outcome(db) == Outcome.STOPPED
    assert await notices(db, "stopped") == ["ada@example.com", SECOND]
    assert (await client.post(STOP, data={"token": token})).status_code == 410
    with clock.travel(WEEK):
        await mind(database, settings)
    assert await notices(db, "ready") == []
    assert "two_factor.lost_access_stopped" in await recorded(db)


@pytest.mark.requirement("MFA-8")
async def test_notices_come_every_other_day_while_it_waits(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, database: RolledBackDatabase
) -> None:
    await ask(client)
    told = []
    for day in range(1, 9):
        with clock.travel(timedelta(days=day)):
            await mind(database, settings)
            await mind(database, settings)
        told.append((len(await notices(db, "asked")) // 2, len(await notices(db, "ready")) // 2))
    assert told == [(1, 0), (2, 0), (2, 0), (3, 0), (3, 0), (4, 0), (4, 1), (4, 1)]


@pytest.mark.requirement("MFA-8")
@pytest.mark.parametrize("factor", ["app", "recovery code", "passkey"])
async def test_whoever_logs_in_with_a_factor_stops_it(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, factor: str
) -> None:
    _, secret, codes = await person_with_app(client, db)
    authenticator = Authenticator()
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret)})
    await add_passkey(client, authenticator)
    client.cookies.clear()
    await log_in(client)
    await ask(client)
    with clock.travel(timedelta(minutes=2)):
        if factor == "app":
            await client.post(CHALLENGE, data={"code": code_of(secret)})
        elif factor == "recovery code":
            await client.post(f"{CHALLENGE}/recovery-code", data={"code": codes[0]})
        else:
            client.cookies.clear()
            await log_in_with_passkey(client, authenticator)
        assert await is_logged_in(client)
    assert await outcome(db) == Outcome.CANCELLED
    assert await notices(db, "stopped") == ["ada@example.com"]
    assert "two_factor.lost_access_cancelled" in await recorded(db)


@pytest.mark.requirement("MFA-8")
async def test_who_comes_by_mail_may_ask_as_well_and_asking_twice_begins_nothing_anew(
    client: AsyncTestClient, db: AsyncSession, secret: str
) -> None:
    client.cookies.clear()
    await ask_for_log_in(client)
    await client.post("/log-in/code/sent", data={"code": await mailed_code(db)})
    await ask(client)
    ready_at = await db.scalar(select(LostAccess.ready_at))
    with clock.travel(timedelta(minutes=5)):
        await ask(client)
        await ask(client)
        assert (await client.post(LOST)).status_code == 429
    assert (await db.scalars(select(LostAccess.ready_at))).all() == [ready_at]
    assert await notices(db, "asked") == ["ada@example.com", SECOND]


@pytest.mark.requirement("MFA-8")
async def test_a_browser_that_is_trusted_has_the_way_as_well(
    client: AsyncTestClient, db: AsyncSession, secret: str
) -> None:
    await client.post(CHALLENGE, data={"code": code_of(secret), "trust": "true"})
    client.cookies.delete("__Host-session")
    assert (await log_in(client)).headers["location"] == "/o"
    assert LOST in (await client.get("/confirm-identity/two-factor")).text
    assert "Ask for it" in (await client.get(LOST)).text

    assert (await post(client, LOST)).headers["location"] == LOST
    assert await outcome(db) is None
    assert await notices(db, "asked") == ["ada@example.com", SECOND]


@pytest.mark.requirement("MFA-1", "AUT-1")
async def test_without_a_first_proof_nobody_can_ask_and_made_up_links_say_nothing(
    client: AsyncTestClient, db: AsyncSession, secret: str
) -> None:
    client.cookies.clear()
    assert (await client.post(LOST)).headers["location"] == "/log-in"
    assert await db.scalar(select(func.count()).select_from(LostAccess)) == 0
    answers = {
        (await client.post(STOP, data={"token": token})).text for token in ("", "x", f"{uuid7().hex}.{'0' * 64}")
    }
    assert len({re.sub(r'(nonce|value)="[^"]*"', "", answer) for answer in answers}) == 1


@pytest.mark.requirement("MFA-8")
async def test_somebody_without_a_password_sets_one_and_comes_back_by_the_same_link(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, database: RolledBackDatabase
) -> None:
    await ask(client)
    await db.execute(delete(Password))
    with clock.travel(WEEK):
        await mind(database, settings)
        token = await token_in_mail(db, FINISH)
        assert await finish(client, token, "") == 422
        assert await finish(client, token) == 422
        await ask_for_reset(client)
        await client.post("/reset-password", data={"token": await mailed_token(db), "password": NEW_PASSWORD})
        assert await finish(client, token, NEW_PASSWORD) == 303


async def test_where_it_is_switched_off_the_page_names_whom_to_write_to(
    settings: Settings, database: RolledBackDatabase, db: AsyncSession
) -> None:
    async with visitor(settings, database, lost_access_days=0) as client:
        await person_with_app(client, db)
        await log_in(client)
        page = await client.get(LOST)
        assert settings.support_email in page.text
        assert "Ask for it" not in page.text
        assert (await client.post(LOST)).status_code == 404


@pytest.mark.requirement("MFA-6")
async def test_an_organization_that_demands_a_second_factor_stays_closed_until_there_is_one(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, database: RolledBackDatabase
) -> None:
    async with system_scope(db):
        await db.execute(update(Organization).values(second_factor_from=clock.now()))
    await ask(client)
    with clock.travel(WEEK):
        await mind(database, settings)
        assert await finish(client, await token_in_mail(db, FINISH)) == 303
        await log_in(client)
        response = await client.get("/o/ada-lovelace")
    assert (response.status_code, response.headers["location"]) == (303, "/o/ada-lovelace/second-factor")


async def test_sessions_end_when_the_factors_are_removed(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, database: RolledBackDatabase
) -> None:
    await ask(client)
    assert await db.scalar(select(func.count()).where(Session.revoked_at.is_(None))) == 1
    with clock.travel(WEEK):
        await mind(database, settings)
        await finish(client, await token_in_mail(db, FINISH))
    assert await db.scalar(select(func.count()).where(Session.revoked_at.is_(None))) == 0


async def test_the_page_of_the_link_takes_one_statement(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, secret: str, statements: Statements
) -> None:
    await ask(client)
    client.cookies.clear()
    await client.get(f"{STOP}?token={await token_in_mail(db, STOP)}")
    with statements() as seen:
        assert (await client.get(STOP)).status_code == 200
    assert len(seen) == 1, seen


async def test_the_staff_see_who_asked_and_what_became_of_it(
    client: AsyncTestClient, db: AsyncSession, secret: str
) -> None:
    await ask(client)
    await db.execute(update(User).values(is_staff=True))
    await client.post(CHALLENGE, data={"code": code_of(secret)})
    page = await client.get("/staff/lost-access")

    assert "ada@example.com" in page.text
    assert "A factor was found" in page.text
