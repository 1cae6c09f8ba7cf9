"""A person's connections: seen, made, ended, and never the last way in."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, Password
from app.accounts.sessions import CONFIRMED_FOR
from app.audit.models import AuditEvent, RequestFacts
from app.config import Settings
from app.connections import actions
from app.connections.models import Identity
from app.database import system_scope
from app.features import shell_parts
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, newest_message, templates_sent
from tests.app.connections.local_server import consent, refresh_of
from tests.app.connections.test_handlers import connect, identities, log_in_elsewhere

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.mark.requirement("AUT-7", "OAU-3")
async def test_a_connection_is_made_listed_mailed_about_and_noted(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    await add_person(db)
    await log_in(client)
    assert "Connect an account" in (await client.get("/account/connections")).text
    assert await connect(client, email="countess@example.com") == "/account/connections"

    with statements() as executed:
        page = await client.get("/account/connections")
    assert len(executed) <= 2 + len(shell_parts()), "\n".join(executed)
    assert "You can log in with Slipway ID from now on." in page.text
    assert "countess@example.com" in page.text
    assert (await templates_sent(db))[-1] == ("connections/connected", "ada@example.com")
    assert "countess@example.com" in (await newest_message(db)).text
    async with system_scope(db):
        event = (await db.scalars(select(AuditEvent).where(AuditEvent.action == "connections.connected"))).one()
    assert event.target_label == "Slipway ID"
    client.cookies.clear()
    assert await log_in_elsewhere(client, email="countess@example.com") == "/o"
    assert (await client.get("/api/v1/me")).json()["email"] == "ada@example.com"


async def test_connecting_needs_a_recent_proof(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    token = await csrf_token(client)
    with clock.travel(CONFIRMED_FOR + timedelta(seconds=1)):
        asked = await client.get("/oauth/local/connect", headers={"accept": "text/html"})
        sent = await client.post("/oauth/local/connect", data={"csrf_token": token})

    assert asked.headers["location"].startswith("/confirm-identity")
    assert sent.status_code in (303, 403)
    assert "openid" not in sent.headers.get("location", "")


@pytest.mark.requirement("OAU-1")
async def test_what_one_person_began_is_not_finished_by_another(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await add_person(db, "Grace Hopper", "grace@example.com")
    await log_in(client)
    page = await client.post("/oauth/local/connect", data={"csrf_token": await csrf_token(client)})
    back = await consent(refresh_of(page))
    client.cookies.delete("__Host-session")
    assert (await client.get(back)).status_code == 400
    assert await identities(db) == []


async def test_an_account_stands_for_one_person_and_a_person_has_one_of_each_provider(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await add_person(db, "Grace Hopper", "grace@example.com")
    await log_in(client)
    await connect(client, subject="one")
    await connect(client, subject="two")
    assert "another account of this provider" in (await client.get("/account/connections")).text
    client.cookies.clear()
    await log_in(client, "grace@example.com")
    await connect(client, subject="one")
    assert "connected to another person" in (await client.get("/account/connections")).text
    assert len(await identities(db)) == 1


@pytest.mark.requirement("AUT-7")
async def test_a_connection_is_ended_after_a_look_at_what_that_means(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    await connect(client)
    [identity] = await identities(db)
    path = f"/account/connections/{identity.id}/disconnect"
    assert "will not log you in here any more" in (await client.get(path)).text

    answer = await client.post(path, data={"csrf_token": await csrf_token(client)})
    assert answer.headers["location"] == "/account/connections"
    assert await identities(db) == []
    assert (await templates_sent(db))[-1] == ("connections/disconnected", "ada@example.com")
    client.cookies.clear()
    assert await log_in_elsewhere(client) == "200 You already have an account"


async def test_other_peoples_connections_and_missing_ones_are_the_same_404(
    client: AsyncTestClient, other_client: AsyncTestClient, db: AsyncSession
) -> None:
    await log_in_elsewhere(other_client, email="grace@example.com")
    [identity] = await identities(db)
    await add_person(db)
    await log_in(client)
    data = {"csrf_token": await csrf_token(client)}
    for identity_id in (identity.id, "01900000-0000-7000-8000-000000000000"):
        path = f"/account/connections/{identity_id}/disconnect"
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path, data=data)).status_code == 404
        headers = {"x-csrf-token": data["csrf_token"]}
        assert (await client.delete(f"/api/v1/me/connections/{identity_id}", headers=headers)).status_code == 404
    assert len(await identities(db)) == 1


@pytest.mark.parametrize("other_way", ["nothing", "password", "mail", "another account"])
async def test_the_last_way_in_cannot_be_ended(db: AsyncSession, settings: Settings, other_way: str) -> None:
    ada = await add_person(db)
    identity = Identity(user_id=ada.id, provider="google", issuer="https://accounts.google.com", subject="1")
    db.add(identity)
    if other_way == "another account":
        db.add(Identity(user_id=ada.id, provider="github", issuer="https://github.com", subject="1"))
    if other_way != "password":
        await db.execute(delete(Password).where(Password.user_id == ada.id))
    if other_way != "mail":
        await db.execute(update(Email).where(Email.user_id == ada.id).values(is_primary=False))
        await db.flush()
        await db.refresh(ada, ["primary_email"])

    if other_way == "nothing":
        with pytest.raises(actions.LastWayIn):
            await actions.disconnect(db, settings, ada, identity.id, facts=RequestFacts())
    elif other_way == "mail":
        assert await actions.disconnect(db, settings, ada, identity.id, facts=RequestFacts())


async def test_scripts_of_the_persons_own_pages_list_and_end_connections(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    await log_in_elsewhere(client)
    with statements() as executed:
        [listed] = (await client.get("/api/v1/me/connections")).json()
    assert len(executed) <= 2 + len(shell_parts()), "\n".join(executed)
    assert set(listed) == {"id", "provider", "email", "created_at", "last_used_at"}

    headers = {"x-csrf-token": await csrf_token(client)}
    assert (await client.delete(f"/api/v1/me/connections/{listed['id']}", headers=headers)).status_code == 204
    assert (await client.get("/api/v1/me/connections")).json() == []
