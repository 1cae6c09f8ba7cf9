"""Waiting for a place, and getting in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.config import Settings
from app.main import create_app
from app.waitlist.actions import invite_from_waitlist
from app.waitlist.models import WaitlistEntry
from core.testclient import AsyncTestClient
from tests.app.accounts.people import newest_message, sign_up, templates_sent
from tests.databases import RolledBackDatabase


@pytest.fixture
async def stranger(settings: Settings, database: RolledBackDatabase) -> AsyncIterator[AsyncTestClient]:
    app = create_app(replace(settings, sign_up="waitlist"), database=database)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        yield client


async def link_of(db: AsyncSession, address: str) -> str:
    message = await newest_message(db, address)
    return next(line for line in message.text.splitlines() if "/waitlist/" in line).removeprefix("https://slipway.test")


async def test_signing_up_leads_to_the_list_until_it_is_ones_turn(
    stranger: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    assert (await stranger.get("/sign-up")).headers["location"] == "/waitlist"
    assert (await sign_up(stranger)).headers["location"] == "/waitlist"
    joined = await stranger.post("/waitlist", data={"email": "ada@example.com"})
    assert joined.headers["location"] == "/waitlist/joined"
    assert "You are on the list" in (await stranger.get("/waitlist/joined")).text

    assert await invite_from_waitlist(db, settings, count=5) == ["ada@example.com"]
    assert await invite_from_waitlist(db, settings, count=5) == []
    followed = await stranger.get(await link_of(db, "ada@example.com"))
    assert (followed.headers["location"], followed.headers["referrer-policy"]) == ("/sign-up", "no-referrer")
    assert 'value="ada@example.com"' in (await stranger.get("/sign-up")).text
    assert (await sign_up(stranger, email="bob@example.com")).status_code == 422
    assert (await sign_up(stranger)).headers["location"] == "/verify-email/sent"


async def test_who_waited_longest_comes_first(stranger: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    for name in ("ada", "bob", "cyd"):
        await stranger.post("/waitlist", data={"email": f"{name}@example.com"})
    assert await invite_from_waitlist(db, settings, count=2) == ["ada@example.com", "bob@example.com"]


@pytest.mark.requirement("AUT-1", "THR-4")
async def test_joining_twice_looks_the_same_keeps_one_place_and_has_an_end(
    stranger: AsyncTestClient, db: AsyncSession
) -> None:
    answers = [await stranger.post("/waitlist", data={"email": "ada@example.com"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 5 + [429]
    assert await db.scalar(select(func.count()).select_from(WaitlistEntry)) == 1
    assert (await templates_sent(db))[:2] == [("waitlist/joined", "ada@example.com")] * 2


async def test_an_invitation_works_for_two_weeks(
    stranger: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    await stranger.post("/waitlist", data={"email": "ada@example.com"})
    await invite_from_waitlist(db, settings, count=1)
    with clock.travel(timedelta(days=14, seconds=1)):
        assert (await stranger.get(await link_of(db, "ada@example.com"))).status_code == 410
    assert (await stranger.get("/waitlist/nonsense")).status_code == 410


async def test_without_a_list_its_pages_do_not_exist(client: AsyncTestClient) -> None:
    assert (await client.get("/waitlist")).status_code == 404
    assert (await client.post("/waitlist", data={"email": "ada@example.com"})).status_code == 404
