"""What programs see of sessions, and may end."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import KnownDevice, Session
from app.config import Settings
from app.ids import uuid7
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in

PATH = "/api/v1/me/sessions"
DEVICES = "/api/v1/me/devices"


@pytest.mark.requirement("SES-4")
async def test_sessions_are_listed_and_ended(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    await add_person(db)
    async with AsyncTestClient(app, base_url=settings.base_url, client=("203.0.113.9", 1)) as other:
        await log_in(other)
        await log_in(client)
        found = (await client.get(PATH)).json()
        shown = [(session["is_present"], session["methods"]) for session in found]
        assert shown == [(True, ["password"]), (False, ["password"])]
        assert found[1]["place"] == "203.0.113.9"
        headers = {"x-csrf-token": await csrf_token(client)}
        assert (await client.delete(f"{PATH}/{found[1]['id']}", headers=headers)).status_code == 204
        assert (await other.get(PATH)).status_code == 401
        assert (await client.delete(f"{PATH}/{found[1]['id']}", headers=headers)).status_code == 404
        assert (await client.delete(f"{PATH}/{uuid7()}", headers=headers)).status_code == 404


@pytest.mark.requirement("SES-4", "MFA-7")
async def test_all_other_sessions_end_at_once_and_so_does_trust(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    user = await add_person(db)
    async with AsyncTestClient(app, base_url=settings.base_url) as other:
        await log_in(other)
        await log_in(client)
        headers = {"x-csrf-token": await csrf_token(client)}
        until = clock.now() + timedelta(days=3)
        await db.execute(update(KnownDevice).where(KnownDevice.user_id == user.id).values(trusted_until=until))
        devices = (await client.get(DEVICES)).json()
        assert len(devices) == 2
        assert (await client.delete(f"{DEVICES}/{devices[0]['id']}", headers=headers)).status_code == 204
        assert (await client.delete(f"{DEVICES}/{devices[0]['id']}", headers=headers)).status_code == 404
        assert len((await client.get(DEVICES)).json()) == 1
        assert (await client.delete(PATH, headers=headers)).status_code == 204
        assert (await client.get(DEVICES)).json() == []
        assert len((await client.get(PATH)).json()) == 1
        assert (await other.get(PATH)).status_code == 401


async def test_no_secret_is_listed(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    text = (await client.get(PATH)).text

    session = (await db.scalars(select(Session))).one()
    assert session.token_hash.hex() not in text
    assert client.cookies["__Host-session"] not in text


async def test_nobody_sees_them_without_a_session_or_token(client: AsyncTestClient) -> None:
    assert (await client.get(PATH)).status_code == 401
