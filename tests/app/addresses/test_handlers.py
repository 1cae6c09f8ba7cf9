"""A person's addresses: added, proved, made primary, taken back, removed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial

import anyio
import pytest
from httpx2 import Response
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, Password, Session, User
from app.accounts.queries import find_account, find_user
from app.addresses.models import AddressLink
from app.addresses.queries import list_addresses
from app.audit.models import AuditEvent, RequestFacts
from app.config import Settings
from app.connections.models import Identity
from app.database import Database, system_scope
from app.features import shell_parts
from app.ids import uuid7
from app.main import create_app
from app.tokens.actions import create_token
from app.tokens.models import PersonalToken
from app.two_factor.models import Passkey, RecoveryCode, Totp
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    NEW_PASSWORD,
    add_person,
    ask_for_reset,
    csrf_token,
    log_in,
    mailed_link,
    mailed_token,
    newest_message,
    templates_sent,
)
from tests.app.two_factor.authenticator import Authenticator
from tests.app.two_factor.holding import add_passkey, code_of, post, set_up_app

Statements = Callable[[], AbstractContextManager[list[str]]]
NEW = "ada@example.org"


async def add(client: AsyncTestClient, address: str = NEW, **fields: str) -> Response:
    data = {"email": address, "csrf_token": await csrf_token(client), **fields}
    return await client.post("/account/emails/add", data=data)


async def confirm(client: AsyncTestClient, token: str) -> Response:
    data = {"token": token, "csrf_token": await csrf_token(client)}
    return await client.post("/account/emails/confirm", data=data)


async def act(client: AsyncTestClient, db: AsyncSession, address: str, verb: str) -> Response:
    email = await db.scalar(select(Email).where(Email.address == address))
    assert email is not None
    return await client.post(f"/account/emails/{email.id}/{verb}", data={"csrf_token": await csrf_token(client)})


async def addresses(db: AsyncSession, user: User) -> list[tuple[str, bool, bool]]:
    rows = await db.execute(
        select(Email.address, Email.is_primary, Email.verified_at.is_not(None))
        .where(Email.user_id == user.id)
        .order_by(Email.address)
    )
    return [(address, is_primary, is_verified) for address, is_primary, is_verified in rows]


@pytest.fixture
async def ada(client: AsyncTestClient, db: AsyncSession) -> User:
    user = await add_person(db)
    await log_in(client)
    return user


async def changed(client: AsyncTestClient, db: AsyncSession) -> str:
    """Ada's primary address is NEW now; returns the link that was mailed to the old one."""
    await add(client, is_primary="true")
    await confirm(client, await mailed_token(db, NEW))
    return await mailed_link(db, "ada@example.com")


async def test_the_list_shows_every_address_by_two_statements(
    client: AsyncTestClient, db: AsyncSession, ada: User, statements: Statements
) -> None:
    await add(client)
    with statements() as executed:
        page = await client.get("/account/emails")

    assert len(executed) == 2 + len(shell_parts()), "\n".join(executed)
    assert "ada@example.com" in page.text
    assert NEW in page.text
    assert "Waits for its link" in page.text


@pytest.mark.requirement("TOK-2")
async def test_an_added_address_counts_once_its_link_is_used(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    response = await add(client)
    assert (response.status_code, response.headers["location"]) == (303, "/account/emails")
    response = await client.get(await mailed_link(db, NEW))
    assert (response.headers["location"], response.headers["referrer-policy"]) == (
        "/account/emails/confirm",
        "no-referrer",
    )
    page = await client.get("/account/emails/confirm")
    assert NEW in page.text
    assert await addresses(db, ada) == [("ada@example.com", True, True), (NEW, False, False)]

    token = await mailed_token(db, NEW)
    assert (await confirm(client, token)).status_code == 303
    assert await addresses(db, ada) == [("ada@example.com", True, True), (NEW, False, True)]
    assert (await confirm(client, token)).status_code == 410
    assert ("addresses/added", "ada@example.com") in await templates_sent(db)


async def test_an_address_that_nobody_proved_is_no_way_in(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    await add(client)
    assert await find_account(db, NEW) is None
    await confirm(client, await mailed_token(db, NEW))
    found = await find_user(db, NEW)
    assert found is not None
    assert found.id == ada.id


@pytest.mark.requirement("AUT-1", "AUT-3")
async def test_somebody_elses_address_looks_like_any_other_and_its_owner_is_told(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await add_person(db, "Grace Hopper", "grace@example.com")
    free, taken = await add(client), await add(client, "grace@example.com")

    assert (free.status_code, free.headers["location"]) == (taken.status_code, taken.headers["location"])
    page = (await client.get("/account/emails")).text
    assert page.count("Waits for its link") == 2
    message = await newest_message(db, "grace@example.com")
    assert message.template == "addresses/already_used"
    assert "token" not in message.text


async def test_only_the_account_that_added_an_address_can_prove_it(
    app: Starlette, client: AsyncTestClient, db: AsyncSession, ada: User, settings: Settings
) -> None:
    await add(client)
    link, token = await mailed_link(db, NEW), await mailed_token(db, NEW)
    await add_person(db, "Grace Hopper", "grace@example.com")
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other:
        stranger = await other.get(link, follow_redirects=True)
        assert "Log in first" in stranger.text
        await log_in(other, "grace@example.com")
        page = await other.get(link, follow_redirects=True)
        assert (page.status_code, NEW in page.text) == (403, False)
        assert (await confirm(other, token)).status_code == 410

    assert (NEW, False, False) in await addresses(db, ada)


async def test_the_same_address_cannot_be_added_twice_however_it_is_written(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    response = await add(client, "ADA@example.com")
    assert response.status_code == 422
    assert "already in your list" in response.text


async def test_an_account_has_room_for_ten_addresses(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    db.add_all(Email(user_id=ada.id, address=f"ada{number}@example.com") for number in range(9))
    await db.flush()
    assert (await add(client)).status_code == 422


@pytest.mark.requirement("THR-4")
async def test_links_are_sent_again_but_not_without_end(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    await add(client)
    for _ in range(4):
        assert (await act(client, db, NEW, "again")).status_code == 303
    assert (await act(client, db, NEW, "again")).status_code == 429


@pytest.mark.requirement("EML-1", "AUT-7")
async def test_a_change_is_confirmed_at_the_new_address_and_told_to_the_old_one(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await add(client, is_primary="true")
    assert await addresses(db, ada) == [("ada@example.com", True, True), (NEW, False, False)]
    await confirm(client, await mailed_token(db, NEW))

    assert await addresses(db, ada) == [("ada@example.com", False, True), (NEW, True, True)]
    assert {("addresses/primary_changed", "ada@example.com"), ("addresses/primary_is", NEW)} <= set(
        await templates_sent(db)
    )
    async with system_scope(db):
        events = (await db.scalars(select(AuditEvent).where(AuditEvent.action == "addresses.primary_changed"))).all()
    assert [event.changes for event in events] == [{"address": ["ada@example.com", NEW]}]


@pytest.mark.requirement("EML-1")
async def test_the_old_address_takes_the_change_back_and_throws_everybody_out(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    link = await changed(client, db)
    await log_in(client, NEW)
    page = await client.get(link, follow_redirects=True)
    assert "Take the change back" in page.text
    assert (NEW, True, True) in await addresses(db, ada)

    response = await client.post(
        "/account/emails/undo", data={"token": link.partition("token=")[2], "csrf_token": await csrf_token(client)}
    )
    assert response.status_code == 303
    assert await addresses(db, ada) == [("ada@example.com", True, True)]
    live = await db.scalar(select(func.count()).select_from(Session).where(Session.revoked_at.is_(None)))
    assert live == 0
    assert (await client.get("/account/emails")).status_code == 303
    assert (await newest_message(db)).template == "addresses/change_undone"


@pytest.mark.requirement("EML-1")
async def test_a_thief_who_changes_twice_removes_the_old_address_and_sets_a_password_is_still_undone(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    link = await changed(client, db)
    await add(client, "second@example.org", is_primary="true")
    await confirm(client, await mailed_token(db, "second@example.org"))
    of_thief = await mailed_token(db, NEW)
    await act(client, db, "ada@example.com", "remove")
    client.cookies.clear()
    await ask_for_reset(client, "second@example.org")
    token = await mailed_token(db, "second@example.org")
    await client.post("/reset-password", data={"token": token, "password": NEW_PASSWORD})

    with clock.travel(timedelta(hours=71)):
        response = await client.post("/account/emails/undo", data={"token": link.partition("token=")[2]})
        assert response.status_code == 303
        assert await addresses(db, ada) == [("ada@example.com", True, True)]
        again = await client.post("/account/emails/undo", data={"token": of_thief})
        assert again.status_code == 410


@pytest.mark.requirement("EML-1")
async def test_what_a_thief_set_up_goes_with_the_change_and_what_was_there_long_before_stays(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, ada: User
) -> None:
    make_token = partial(
        create_token, db, settings, ada, scopes=["account:read"], lifetime=timedelta(days=30), facts=RequestFacts()
    )
    secret, _ = await set_up_app(client)
    await post(client, "/confirm-identity/two-factor", code=code_of(secret))
    _, own_token = await make_token(name="Backup")
    week = timedelta(days=7)
    for table in (Totp, RecoveryCode, PersonalToken):
        await db.execute(update(table).values(created_at=table.created_at - week))
    await add_passkey(client, Authenticator())
    link = await changed(client, db)
    _, token_of_thief = await make_token(name="Thief")
    db.add(Identity(user_id=ada.id, provider="github", issuer="https://github.com", subject="1"))
    await post(client, "/account/two-factor/recovery-codes")
    await db.flush()
    client.cookies.clear()

    page = await client.get(link, follow_redirects=True)
    assert "passkeys, access tokens and connected accounts" in page.text
    await client.post("/account/emails/undo", data={"token": link.partition("token=")[2]})
    assert await db.scalar(select(func.count()).select_from(Passkey)) == 0
    assert await db.scalar(select(func.count()).select_from(Identity)) == 0
    assert await db.scalar(select(func.count()).where(RecoveryCode.used_at.is_(None))) == 0
    assert await db.scalar(select(func.count()).select_from(Totp)) == 1
    assert await db.scalar(select(func.count()).select_from(Password)) == 0
    for secret, status in ((own_token, 200), (token_of_thief, 401)):
        answer = await client.get("/api/v1/me", headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code == status
    assert (await log_in(client)).status_code == 422
    # The app was the owner's, so it is still asked for.
    assert await db.scalar(select(User.second_factor_at)) is not None
    assert "The password works no more" in (await newest_message(db)).text


@pytest.mark.requirement("EML-1", "TOK-1")
async def test_links_expire_after_a_day_and_the_way_back_after_three(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    undo = (await changed(client, db)).partition("token=")[2]
    await add(client, "third@example.org")
    with clock.travel(timedelta(hours=24, seconds=1)):
        assert (await confirm(client, await mailed_token(db, "third@example.org"))).status_code == 410
    with clock.travel(timedelta(hours=72, seconds=1)):
        client.cookies.clear()
        assert (await client.post("/account/emails/undo", data={"token": undo})).status_code == 410


@pytest.mark.requirement("EML-1", "TOK-1")
async def test_a_new_password_cancels_a_change_that_waits(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    await add(client, is_primary="true")
    waiting = await mailed_token(db, NEW)
    client.cookies.clear()
    await ask_for_reset(client)
    await client.post("/reset-password", data={"token": await mailed_token(db), "password": NEW_PASSWORD})
    await log_in(client, password=NEW_PASSWORD)

    assert (await confirm(client, waiting)).status_code == 410
    assert await addresses(db, ada) == [("ada@example.com", True, True), (NEW, False, False)]


@pytest.mark.requirement("EML-1")
async def test_of_two_people_who_prove_the_same_address_at_once_one_gets_it(
    fresh_database: Database, settings: Settings
) -> None:
    app = create_app(settings, database=fresh_database)
    async with fresh_database.transaction() as db:
        await add_person(db)
        await add_person(db, "Grace Hopper", "grace@example.com")
    statuses: list[int] = []
    async with (
        AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as one,
        AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other,
    ):
        pairs: list[tuple[AsyncTestClient, str]] = []
        for client, address in ((one, "ada@example.com"), (other, "grace@example.com")):
            await log_in(client, address)
            await add(client)
            async with fresh_database.transaction() as db:
                pairs.append((client, await mailed_token(db, NEW)))

        async def prove(client: AsyncTestClient, token: str) -> None:
            statuses.append((await confirm(client, token)).status_code)

        async with anyio.create_task_group() as group:
            for client, token in pairs:
                group.start_soon(prove, client, token)

    assert sorted(statuses) == [303, 410]
    async with fresh_database.transaction() as db:
        assert await db.scalar(select(func.count()).select_from(Email).where(Email.address == NEW)) == 1


async def test_the_primary_address_stays_and_another_one_can_go(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await act(client, db, "ada@example.com", "remove")
    assert "before you remove it" in (await client.get("/account/emails")).text
    await add(client)
    await confirm(client, await mailed_token(db, NEW))
    assert (await act(client, db, NEW, "remove")).status_code == 303

    assert await addresses(db, ada) == [("ada@example.com", True, True)]
    told = [to for template, to in await templates_sent(db) if template == "addresses/removed"]
    assert told == ["ada@example.com", NEW]


async def test_an_unproved_address_does_not_become_the_primary_one(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await add(client)
    assert (await act(client, db, NEW, "primary")).status_code == 422


@pytest.mark.requirement("TEN-2")
async def test_somebody_elses_address_is_not_found(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    await add_person(db, "Grace Hopper", "grace@example.com")
    for verb in ("again", "primary", "remove"):
        assert (await act(client, db, "grace@example.com", verb)).status_code == 404


@pytest.mark.requirement("SES-3", "EML-1")
async def test_adding_and_changing_need_a_recent_proof_of_identity(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    (email,) = await list_addresses(db, ada.id)
    with clock.travel(timedelta(minutes=16)):
        for path in ("add", f"{email.id}/primary", f"{email.id}/remove"):
            response = await client.get(f"/account/emails/{path}", headers={"accept": "text/html"})
            assert (response.status_code, response.headers["location"].partition("?")[0]) == (303, "/confirm-identity")
        assert (await add(client)).status_code in (303, 403)
    assert await db.scalar(select(func.count()).select_from(AddressLink)) == 0


async def test_programs_list_add_and_remove_addresses(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    token = await csrf_token(client)
    added = await client.post("/api/v1/me/emails", json={"address": NEW}, headers={"x-csrf-token": token})
    assert added.status_code == 201, added.text
    listed = (await client.get("/api/v1/me/emails")).json()["items"]
    assert [(each["address"], each["is_primary"]) for each in listed] == [("ada@example.com", True), (NEW, False)]
    for each, expected in zip(listed, (409, 204), strict=True):
        gone = await client.delete(f"/api/v1/me/emails/{each['id']}", headers={"x-csrf-token": token})
        assert gone.status_code == expected


async def test_programs_send_links_again_and_choose_the_primary_address(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    headers = {"x-csrf-token": await csrf_token(client)}
    await add(client)
    email = await db.scalar(select(Email).where(Email.address == NEW))
    assert email is not None
    path = f"/api/v1/me/emails/{email.id}"
    assert (await client.post(f"{path}/primary", headers=headers)).status_code == 422
    assert (await client.post(f"{path}/confirmation", headers=headers)).status_code == 202
    await confirm(client, await mailed_token(db, NEW))
    sent = len(await templates_sent(db))
    assert (await client.post(f"{path}/confirmation", headers=headers)).status_code == 202
    assert len(await templates_sent(db)) == sent

    chosen = await client.post(f"{path}/primary", headers=headers)
    assert (chosen.status_code, chosen.json()["is_primary"]) == (200, True)
    assert (await newest_message(db)).template == "addresses/primary_changed"
    assert (await client.post(f"/api/v1/me/emails/{uuid7()}/primary", headers=headers)).status_code == 404
    with clock.travel(timedelta(minutes=16)):
        assert (await client.post(f"{path}/primary", headers=headers)).status_code == 403
