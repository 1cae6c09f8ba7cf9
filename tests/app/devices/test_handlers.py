"""Looking through one's sessions and devices, and ending them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import KnownDevice, Session, User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import system_scope
from app.features import shell_parts
from app.ids import uuid7
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in

Statements = Callable[[], AbstractContextManager[list[str]]]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
async def ada(client: AsyncTestClient, db: AsyncSession) -> AsyncTestClient:
    await add_person(db)
    client.headers["user-agent"] = FIREFOX
    await log_in(client)
    return client


@pytest.fixture
async def phone(app: Starlette, settings: Settings, ada: AsyncTestClient) -> AsyncIterator[AsyncTestClient]:
    """The same person's other browser."""
    async with AsyncTestClient(
        app,
        base_url=settings.base_url,
        follow_redirects=False,
        client=("203.0.113.9", 1),
        headers={"user-agent": IPHONE},
    ) as phone:
        await log_in(phone)
        yield phone


async def is_live(client: AsyncTestClient) -> bool:
    return (await client.get("/account/sessions")).status_code == 200


async def press(client: AsyncTestClient, path: str) -> int:
    return (await client.post(path, data={"csrf_token": await csrf_token(client)})).status_code


async def session_on(db: AsyncSession, user_agent: str) -> Session:
    return (await db.scalars(select(Session).where(Session.user_agent == user_agent))).one()


@pytest.mark.requirement("SES-4")
async def test_the_page_says_where_one_is_logged_in(ada: AsyncTestClient, phone: AsyncTestClient) -> None:
    page = (await ada.get("/account/sessions")).text

    assert "Firefox on Windows" in page
    assert "Safari on iPhone" in page
    assert "203.0.113.9" in page
    assert page.count("This device") == 1
    assert "End all other sessions" in page
    assert 'aria-current="page"' in page


@pytest.mark.requirement("SES-4")
async def test_one_session_is_ended_at_once(ada: AsyncTestClient, phone: AsyncTestClient, db: AsyncSession) -> None:
    other = await session_on(db, IPHONE)
    assert await is_live(phone)
    assert await press(ada, f"/account/sessions/{other.id}/end") == 303

    assert "That session is over." in (await ada.get("/account/sessions")).text
    assert not await is_live(phone)
    assert await is_live(ada)
    assert await press(ada, f"/account/sessions/{other.id}/end") == 404
    async with system_scope(db):
        event = (await db.scalars(select(AuditEvent).where(AuditEvent.action == "accounts.session_ended"))).one()
    assert event.changes == {"device": ["Safari on iPhone", None]}


@pytest.mark.requirement("SES-4", "MFA-7")
async def test_all_other_sessions_are_ended_and_no_device_is_trusted_any_more(
    ada: AsyncTestClient, phone: AsyncTestClient, db: AsyncSession
) -> None:
    await db.execute(update(KnownDevice).values(trusted_until=clock.now() + timedelta(days=3)))
    assert await press(ada, "/account/sessions/end-others") == 303

    assert "One other session is over." in (await ada.get("/account/sessions")).text
    assert not await is_live(phone)
    assert await is_live(ada)
    assert (await db.scalars(select(KnownDevice.trusted_until))).all() == [None, None]


async def test_nobody_ends_or_sees_what_is_another_persons(
    ada: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    await add_person(db, "Mallory", "mallory@example.com")
    session = await session_on(db, FIREFOX)
    device = (await db.scalars(select(KnownDevice))).one()
    await db.execute(update(KnownDevice).values(trusted_until=clock.now() + timedelta(days=3)))
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as mallory:
        await log_in(mallory, "mallory@example.com")
        assert await press(mallory, f"/account/sessions/{session.id}/end") == 404
        assert await press(mallory, f"/account/sessions/{uuid7()}/end") == 404
        assert await press(mallory, f"/account/devices/{device.id}/forget") == 404
        assert await press(mallory, "/account/sessions/end-others") == 303
        assert "Firefox" not in (await mallory.get("/account/sessions")).text
    assert await is_live(ada)


@pytest.mark.requirement("MFA-7")
async def test_a_trusted_device_is_listed_and_forgotten(ada: AsyncTestClient, db: AsyncSession) -> None:
    assert "Trusted devices" not in (await ada.get("/account/sessions")).text
    await db.execute(update(KnownDevice).values(trusted_until=clock.now() + timedelta(days=3)))
    device = (await db.scalars(select(KnownDevice))).one()
    assert "Trusted devices" in (await ada.get("/account/sessions")).text

    assert await press(ada, f"/account/devices/{device.id}/forget") == 303
    assert "Trusted devices" not in (await ada.get("/account/sessions")).text
    assert await press(ada, f"/account/devices/{device.id}/forget") == 404


async def test_sessions_that_are_over_are_not_listed(
    ada: AsyncTestClient, phone: AsyncTestClient, db: AsyncSession
) -> None:
    await db.execute(update(Session).where(Session.user_agent == IPHONE).values(idle_expires_at=clock.now()))

    assert "Safari on iPhone" not in (await ada.get("/account/sessions")).text


async def test_the_page_takes_three_statements(ada: AsyncTestClient, statements: Statements) -> None:
    with statements() as executed:
        await ada.get("/account/sessions")

    assert len(executed) == 3 + len(shell_parts()), "\n".join(executed)


@pytest.mark.requirement("SES-4", "AUT-6")
async def test_a_person_who_is_locked_has_no_session_left(ada: AsyncTestClient, db: AsyncSession) -> None:
    await db.execute(update(User).values(status="locked"))

    assert not await is_live(ada)
