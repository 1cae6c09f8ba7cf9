"""What programs see of sessions, and may end."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Session
from app.config import Settings
from app.ids import uuid7
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in

PATH = "/api/v1/me/sessions"


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


async def test_no_secret_is_listed(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    text = (await client.get(PATH)).text

    session = (await db.scalars(select(Session))).one()
    assert session.token_hash.hex() not in text
    assert client.cookies["__Host-session"] not in text


async def test_nobody_sees_them_without_a_session_or_token(client: AsyncTestClient) -> None:
    assert (await client.get(PATH)).status_code == 401
