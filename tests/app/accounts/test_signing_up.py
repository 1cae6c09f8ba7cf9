"""From the sign-up form to a verified address."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Email, OneTimeToken, Password, User
from app.accounts.queries import find_user
from app.config import Settings
from app.main import create_app
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    NEW_PASSWORD,
    PASSWORD,
    add_person,
    log_in,
    mailed_link,
    mailed_token,
    newest_message,
    sign_up,
    templates_sent,
)
from tests.databases import RolledBackDatabase


async def test_a_stranger_signs_up_verifies_and_logs_in(client: AsyncTestClient, db: AsyncSession) -> None:
    response = await sign_up(client)
    assert (response.status_code, response.headers["location"]) == (303, "/verify-email/sent")
    page = await client.get("/verify-email/sent")
    assert page.status_code == 200
    assert "a•••@example.com" in page.text
    assert "ada@example.com" not in page.text

    page = await client.get(await mailed_link(db), follow_redirects=True)
    assert page.status_code == 200
    assert "Confirm address" in page.text

    response = await client.post("/verify-email", data={"token": await mailed_token(db)})
    assert (response.status_code, response.headers["location"]) == (303, "/log-in")
    page = await client.get("/log-in")
    assert "Your e-mail address is confirmed" in page.text

    response = await log_in(client)
    assert (response.status_code, response.headers["location"]) == (303, "/o")
    page = await client.get("/o/ada-lovelace")
    assert page.status_code == 200
    assert "Ada Lovelace" in page.text


@pytest.mark.requirement("TOK-2", "CSR-2")
async def test_opening_the_link_alone_changes_nothing(client: AsyncTestClient, db: AsyncSession) -> None:
    await sign_up(client)
    for _ in range(3):
        await client.get(await mailed_link(db), follow_redirects=True)

    assert await db.scalar(select(OneTimeToken.used_at)) is None
    assert await find_user(db, "ada@example.com") is None


@pytest.mark.requirement("TOK-2")
async def test_the_page_behind_a_link_has_no_token_in_its_address_and_sends_no_referrer(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await sign_up(client)
    response = await client.get(await mailed_link(db))

    assert (response.status_code, response.headers["location"]) == (303, "/verify-email")
    assert response.headers["referrer-policy"] == "no-referrer"
    page = await client.get("/verify-email")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.requirement("AUT-3")
async def test_a_known_address_is_told_by_mail_and_keeps_its_password(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    user = await add_person(db)
    response = await sign_up(client, email="Ada@Example.com", password=NEW_PASSWORD)

    assert (response.status_code, response.headers["location"]) == (303, "/verify-email/sent")
    message = await newest_message(db, "Ada@example.com")
    assert message.template == "accounts/already_registered"
    assert "token" not in message.text
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 422
    assert (await log_in(client)).status_code == 303
    found = await find_user(db, "ada@example.com")
    assert found is not None
    assert found.id == user.id


@pytest.mark.requirement("AUT-5")
async def test_an_unverified_claim_does_not_keep_the_owner_out(client: AsyncTestClient, db: AsyncSession) -> None:
    await sign_up(client, name="Mallory", password=NEW_PASSWORD)
    await sign_up(client, name="Ada")
    await client.post("/verify-email", data={"token": await mailed_token(db)})

    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 422
    assert (await log_in(client)).status_code == 303
    names = (await db.scalars(select(User.name))).all()
    assert names == ["Ada"]


@pytest.mark.requirement("AUT-5")
async def test_a_link_to_a_claim_dies_when_somebody_else_proves_the_address(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await sign_up(client, name="Mallory", password=NEW_PASSWORD)
    of_mallory = await mailed_token(db)
    await sign_up(client, name="Ada")
    await client.post("/verify-email", data={"token": await mailed_token(db)})

    assert (await client.post("/verify-email", data={"token": of_mallory})).status_code == 410


async def test_every_error_is_shown_and_only_the_password_is_forgotten(client: AsyncTestClient) -> None:
    response = await client.post("/sign-up", data={"name": "Ada <b>", "email": "ada@", "password": "too short"})

    assert response.status_code == 422
    assert 'value="Ada &lt;b&gt;"' in response.text
    assert 'value="ada@"' in response.text
    assert "too short" not in response.text
    assert "name@example.com" in response.text
    assert "at least 12 characters" in response.text
    assert response.text.count("<h1") == 1


async def test_an_empty_form_asks_for_every_field(client: AsyncTestClient) -> None:
    response = await client.post("/sign-up", data={"name": " ", "email": "", "password": ""})

    assert response.status_code == 422
    assert response.text.count('aria-invalid="true"') == 4


@pytest.mark.parametrize(
    "password", ["passwordpassword", "Ada Lovelace!", "Qwertyuiop123", "ada@example.com", "slipway 2026"]
)
async def test_guessable_passwords_are_refused(client: AsyncTestClient, db: AsyncSession, password: str) -> None:
    response = await sign_up(client, password=password)

    assert response.status_code == 422
    assert "unrelated words" in response.text
    assert await db.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Ada\x00"},
        {"email": "ada\x00@example.com"},
        {"password": PASSWORD + "\x00"},
        {"name": "Ada\r\nBcc: x@example.com"},
        {"email": "ada@exa mple.com"},
        {"email": "ádmin@example.com"},
        {"email": "ﬀ@example.com"},
        {"email": "a" * 250 + "@example.com"},
        {"name": "x" * 101},
        {"password": "é" * 600},
        {"name": "\u2028\u202e", "email": "\ud7ff"},
    ],
)
async def test_odd_text_is_an_answer_beside_the_field_never_a_failure(
    client: AsyncTestClient, fields: dict[str, str]
) -> None:
    response = await sign_up(client, **fields)

    assert response.status_code in ((422, 303) if set(fields) == {"name"} else (422,))


async def test_bytes_that_are_no_text_are_refused(client: AsyncTestClient) -> None:
    body = b"name=%ff%fe&email=%00&password=%ed%a0%80"
    response = await client.post(
        "/sign-up", content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )

    assert 400 <= response.status_code < 500


async def test_a_name_with_markup_is_shown_as_text_everywhere(client: AsyncTestClient, db: AsyncSession) -> None:
    name = '<script>alert("x")</script>'
    await sign_up(client, name=name)
    await client.post("/verify-email", data={"token": await mailed_token(db)})
    await log_in(client)

    page = await client.get("/o", follow_redirects=True)
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


@pytest.mark.parametrize("field", ["is_staff", "status", "id", "verified_at", "role", "created_at"])
async def test_fields_that_the_form_does_not_have_are_ignored(
    client: AsyncTestClient, db: AsyncSession, field: str
) -> None:
    value = {"status": "locked"}.get(field, "true")
    await sign_up(client, **{field: value})

    user = (await db.scalars(select(User))).one()
    assert (user.is_staff, user.status) == (False, "active")
    assert await db.scalar(select(Email.verified_at)) is None


@pytest.mark.requirement("SES-1", "TOK-1")
async def test_passwords_and_tokens_are_in_no_column(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    await sign_up(client)
    token = await mailed_token(db)

    hashed = await db.scalar(select(Password.hash))
    assert hashed is not None
    assert hashed.startswith(f"$argon2id$v=19$m={settings.password_memory},t=2,p=1$")
    stored = await db.scalar(select(OneTimeToken.token_hash))
    assert stored is not None
    assert token.encode() not in stored


async def test_another_link_can_be_asked_for_and_is_limited(client: AsyncTestClient, db: AsyncSession) -> None:
    await sign_up(client)
    first = await mailed_token(db)
    response = await client.post("/verify-email/again")
    assert (response.status_code, response.headers["location"]) == (303, "/verify-email/sent")
    assert await mailed_token(db) != first
    assert "We sent the message again" in (await client.get("/verify-email/sent")).text

    statuses = [(await client.post("/verify-email/again")).status_code for _ in range(5)]
    assert statuses == [303] * 4 + [429]
    assert (await client.post("/verify-email/again")).headers["retry-after"].isdigit()


async def test_another_link_for_a_known_address_is_the_notice_again(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await sign_up(client)
    await client.post("/verify-email/again")

    assert await templates_sent(db) == [("accounts/already_registered", "ada@example.com")] * 2


async def test_without_a_sign_up_there_is_nothing_to_send_again(client: AsyncTestClient, db: AsyncSession) -> None:
    assert (await client.post("/verify-email/again")).headers["location"] == "/sign-up"
    assert (await client.get("/verify-email/sent")).headers["location"] == "/sign-up"
    assert await templates_sent(db) == []


async def test_the_page_asked_for_before_signing_up_comes_after_logging_in(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    page = await client.get("/sign-up?next=/o/somewhere")
    assert 'name="next" value="/o/somewhere"' in page.text
    await sign_up(client, next="/o/somewhere")
    response = await client.post("/verify-email", data={"token": await mailed_token(db)})
    assert response.headers["location"] == "/log-in?next=/o/somewhere"


async def test_people_who_are_logged_in_are_led_to_their_dashboard(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)

    for path in ("/sign-up", "/log-in", "/forgot-password", "/verify-email/sent"):
        assert (await client.get(path)).headers["location"] == "/o"
    assert (await client.get("/o")).headers["location"] == "/o/ada-lovelace"


@pytest.mark.requirement("SES-5")
async def test_the_pages_for_strangers_set_no_cookie(client: AsyncTestClient) -> None:
    for path in ("/sign-up", "/log-in", "/forgot-password"):
        response = await client.get(path)
        assert response.status_code == 200
        assert "set-cookie" not in response.headers


@pytest.fixture
async def closed_app(settings: Settings, database: RolledBackDatabase) -> Starlette:
    return create_app(replace(settings, sign_up="closed"), database=database)


async def test_a_closed_sign_up_says_so(closed_app: Starlette, settings: Settings, db: AsyncSession) -> None:
    async with AsyncTestClient(closed_app, base_url=settings.base_url) as client:
        assert "Sign-up is closed" in (await client.get("/sign-up")).text
        assert (await sign_up(client)).status_code == 403
    assert await templates_sent(db) == []
