"""The pages of second factors: what they cost, what they ask for, and what an organization may demand."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.encryption import is_outdated
from app.features import shell_parts
from app.two_factor import authenticator_app
from app.two_factor.demands import second_factor_demands
from app.two_factor.models import Passkey, Totp
from app.two_factor.relying_party import RelyingParty
from core.applications import Starlette
from core.datastructures import Secret
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.app.two_factor.authenticator import Authenticator
from tests.app.two_factor.holding import (
    ACCOUNT,
    CHALLENGE,
    PASSKEYS,
    add_passkey,
    code_of,
    log_in_with_passkey,
    person_with_app,
    person_with_passkey,
    post,
)

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.mark.parametrize(("path", "most"), [(ACCOUNT, 3), (PASSKEYS, 2), (f"{PASSKEYS}/new", 1), (f"{ACCOUNT}/app", 3)])
async def test_pages_take_few_statements(
    client: AsyncTestClient, db: AsyncSession, statements: Statements, path: str, most: int
) -> None:
    await add_person(db)
    await log_in(client)
    with statements() as executed:
        response = await client.get(path)

    assert response.status_code == 200
    assert len(executed) <= most + len(shell_parts()), "\n".join(executed)


async def test_the_challenge_takes_few_statements(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    with statements() as asked:
        await client.get(CHALLENGE)
    with statements() as answered:
        await client.post(CHALLENGE, data={"code": code_of(secret)})

    assert len(asked) <= 3, "\n".join(asked)
    # Thirteen with the message that tells the person of a device not seen before.
    assert len(answered) <= 13, "\n".join(answered)


async def demanded_by_acme(db: AsyncSession, user: User) -> str | None:
    return "Acme"


async def test_the_last_factor_stays_where_an_organization_demands_one(
    app: Starlette, client: AsyncTestClient, db: AsyncSession
) -> None:
    laptop = Authenticator()
    await person_with_passkey(client, db, laptop)
    await log_in_with_passkey(client, laptop)
    passkey = await db.scalar(select(Passkey))
    assert passkey is not None
    path = f"{PASSKEYS}/{passkey.id}/remove"
    app.dependency_overrides[second_factor_demands] = lambda: [demanded_by_acme]
    page = await client.get(path)
    refused = await post(client, path, code="000000")

    assert (page.status_code, refused.status_code) == (409, 409)
    assert "Acme demands" in page.text
    assert await db.scalar(select(Passkey.id)) == passkey.id
    await add_passkey(client, Authenticator(), "Phone")
    assert (await client.get(path)).status_code == 200


async def test_the_app_stays_where_an_organization_demands_a_factor(
    app: Starlette, client: AsyncTestClient, db: AsyncSession
) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret)})
    app.dependency_overrides[second_factor_demands] = lambda: [demanded_by_acme]
    await post(client, f"{ACCOUNT}/app/remove", code=code_of(secret, steps=1))

    assert (await client.get(f"{ACCOUNT}/app/remove")).status_code == 409
    assert await db.scalar(select(Totp.id)) is not None


@pytest.mark.requirement("KEY-2")
async def test_a_secret_is_encrypted_anew_with_the_present_key_when_it_is_used(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    user, secret, _ = await person_with_app(client, db)
    rotated = replace(settings, secret_key=Secret("y" * 50), secret_key_fallbacks=(settings.secret_key,))
    totp = await db.scalar(select(Totp).where(Totp.user_id == user.id))
    assert totp is not None
    assert is_outdated(rotated.keys("totp"), totp.secret)
    assert await authenticator_app.use_code(db, rotated, totp, code_of(secret))

    await db.refresh(totp)
    assert not is_outdated(rotated.keys("totp"), totp.secret)
    assert authenticator_app.secret_of(replace(rotated, secret_key_fallbacks=()), totp) == secret


@pytest.mark.parametrize(
    ("base_url", "host", "origin"),
    [
        ("https://app.example.com", "app.example.com", "https://app.example.com"),
        ("http://127.0.0.1:8000", "localhost", "http://localhost:8000"),
        ("http://[::1]:8000", "localhost", "http://localhost:8000"),
        ("https://203.0.113.7", "203.0.113.7", "https://203.0.113.7"),
    ],
)
def test_passkeys_belong_to_the_host_of_the_base_url(settings: Settings, base_url: str, host: str, origin: str) -> None:
    party = RelyingParty.of(replace(settings, base_url=base_url))

    assert (party.id, party.origin) == (host, origin)


async def test_the_pages_speak_german(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    page = await client.get(ACCOUNT, headers={"accept-language": "de"})

    assert "Anmeldung in zwei Schritten" in page.text
    assert "Ihr Konto ist nur durch einen Schritt geschützt" in page.text
