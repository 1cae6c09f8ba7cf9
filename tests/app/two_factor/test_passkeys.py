"""Passkeys: made and named, logging in by one alone, and everything that an attacker may send instead."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.helpers import base64url_to_bytes

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.database import Database
from app.main import create_app
from app.two_factor.models import Passkey, UsedPasskeyChallenge
from app.two_factor.passkey_challenges import forget_challenges
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in, templates_sent
from tests.app.two_factor.authenticator import Authenticator
from tests.app.two_factor.holding import (
    ACCOUNT,
    CHALLENGE,
    PASSKEYS,
    add_passkey,
    csrf_token,
    is_logged_in,
    log_in_with_passkey,
    options,
    person_with_passkey,
    post,
    recorded,
)

REFUSED = "/log-in"


@pytest.fixture
def laptop() -> Authenticator:
    return Authenticator()


@pytest.mark.requirement("MFA-3", "AUT-7")
async def test_a_first_passkey_is_a_second_factor_and_brings_recovery_codes(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    user, codes = await person_with_passkey(client, db, laptop)

    assert len(codes) == 10
    assert await db.scalar(select(User.second_factor_at).where(User.id == user.id)) is not None
    sent = [template for template, _ in await templates_sent(db)]
    assert {"two_factor/passkey_added", "two_factor/second_factor_on"} <= set(sent)
    assert {"two_factor.passkey_added", "two_factor.turned_on"} <= set(await recorded(db))


@pytest.mark.requirement("PSK-1")
async def test_a_passkey_alone_lets_its_owner_in(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    await person_with_passkey(client, db, laptop)
    response = await log_in_with_passkey(client, laptop, next="/account/passkeys")

    assert (response.status_code, response.headers["location"]) == (303, "/account/passkeys")
    assert await is_logged_in(client)
    page = await client.get(PASSKEYS)
    assert "Laptop" in page.text
    assert "Never" not in page.text


@pytest.mark.requirement("PSK-1")
async def test_what_a_stranger_is_asked_to_sign_tells_nothing_of_anybody(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    before = await options(client, "/log-in/passkey/options")
    await person_with_passkey(client, db, laptop)
    after = await options(client, "/log-in/passkey/options")

    assert {name: value for name, value in before.items() if name != "challenge"} == {
        name: value for name, value in after.items() if name != "challenge"
    }
    assert before["allowCredentials"] == []
    assert before["userVerification"] == "required"
    assert len(base64url_to_bytes(before["challenge"])) == 32
    assert before["challenge"] != after["challenge"]


def evil_origin(authenticator: Authenticator) -> None:
    authenticator.origin = "https://slipway.test.evil.example"


def other_host(authenticator: Authenticator) -> None:
    authenticator.host = "evil.example"


def unverified(authenticator: Authenticator) -> None:
    authenticator.verifies_person = False


def other_key(authenticator: Authenticator) -> None:
    authenticator.key = Authenticator().key


def unknown_credential(authenticator: Authenticator) -> None:
    authenticator.credential_id = b"nobody has this one"


def other_user(authenticator: Authenticator) -> None:
    authenticator.user_handle = bytes(16)


def no_user(authenticator: Authenticator) -> None:
    authenticator.user_handle = b""


@pytest.mark.requirement("PSK-1")
@pytest.mark.parametrize(
    "lie", [evil_origin, other_host, unverified, other_key, unknown_credential, other_user, no_user]
)
async def test_a_crafted_signature_lets_nobody_in_and_every_refusal_looks_the_same(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator, lie: Any
) -> None:
    await person_with_passkey(client, db, laptop)
    lie(laptop)
    response = await log_in_with_passkey(client, laptop)

    assert (response.status_code, response.headers["location"]) == (303, REFUSED)
    assert not await is_logged_in(client)
    assert "This passkey did not work here." in (await client.get("/log-in")).text
    assert (await recorded(db))[-1] == "two_factor.proof_refused"


@pytest.mark.requirement("PSK-1")
async def test_a_registration_does_not_pass_for_a_log_in(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    await person_with_passkey(client, db, laptop)
    asked = await options(client, "/log-in/passkey/options")
    await client.post("/log-in/passkey", data={"credential": laptop.sign(asked, type_="webauthn.create")})

    assert not await is_logged_in(client)


@pytest.mark.requirement("PSK-1")
async def test_a_signature_works_once(client: AsyncTestClient, db: AsyncSession, laptop: Authenticator) -> None:
    await person_with_passkey(client, db, laptop)
    asked = await options(client, "/log-in/passkey/options")
    answer, state = laptop.sign(asked), dict(client.cookies)
    await client.post("/log-in/passkey", data={"credential": answer})
    assert await is_logged_in(client)

    # Even a copy of the whole browser, made before the log-in, gets nothing by sending the same again.
    client.cookies.clear()
    for name, value in state.items():
        client.cookies.set(name, value)
    await client.post("/log-in/passkey", data={"credential": answer})
    assert not await is_logged_in(client)


@pytest.mark.requirement("PSK-1")
async def test_a_challenge_ends_after_five_minutes(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    await person_with_passkey(client, db, laptop)
    asked = await options(client, "/log-in/passkey/options")
    with time_machine.travel(clock.now() + timedelta(minutes=5, seconds=1), tick=False):
        await client.post("/log-in/passkey", data={"credential": laptop.sign(asked)})
        assert not await is_logged_in(client)


@pytest.mark.requirement("PSK-1")
async def test_a_challenge_of_another_browser_is_worth_nothing(
    app: Starlette, client: AsyncTestClient, db: AsyncSession, laptop: Authenticator, settings: Settings
) -> None:
    await person_with_passkey(client, db, laptop)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other:
        asked = await options(other, "/log-in/passkey/options")
    await options(client, "/log-in/passkey/options")
    await client.post("/log-in/passkey", data={"credential": laptop.sign(asked)})

    assert not await is_logged_in(client)


@pytest.mark.requirement("PSK-1")
async def test_a_challenge_for_one_purpose_is_not_good_for_another(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    await person_with_passkey(client, db, laptop)
    await log_in(client)
    asked = await options(client, f"{CHALLENGE}/options")
    await client.post("/log-in/passkey", data={"credential": laptop.sign(asked)})

    assert not await is_logged_in(client)


@pytest.mark.requirement("PSK-1")
async def test_a_counter_that_goes_back_is_refused_and_flagged(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    laptop.counter = 7
    await person_with_passkey(client, db, laptop)
    laptop.counter = 9
    await log_in_with_passkey(client, laptop)
    assert await is_logged_in(client)
    client.cookies.clear()
    for counter in (9, 8, 0):
        laptop.counter = counter
        await log_in_with_passkey(client, laptop)
        assert not await is_logged_in(client)

    assert (await recorded(db)).count("two_factor.passkey_counter_went_back") == 3


EMPTY = {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"}
JUNK = [
    *("", "{}", "[]", "null", "1", '"x"', "{", '{"id": 1}', "\x00", "{" * 5000, "é" * 100),
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}),
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": EMPTY}),
]


async def test_junk_is_refused_like_any_wrong_signature(client: AsyncTestClient) -> None:
    for junk in JUNK:
        await options(client, "/log-in/passkey/options")
        response = await client.post("/log-in/passkey", data={"credential": junk})
        assert (response.status_code, response.headers["location"]) == (303, REFUSED), junk


@pytest.mark.parametrize("value", ["AA", None, 7])
async def test_junk_with_a_known_id_is_refused_too(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator, value: object
) -> None:
    await person_with_passkey(client, db, laptop)
    for name in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        answer = json.loads(laptop.sign(await options(client, "/log-in/passkey/options")))
        answer["response"][name] = value
        response = await client.post("/log-in/passkey", data={"credential": json.dumps(answer)})
        assert (response.status_code, response.headers["location"]) == (303, REFUSED), name


@pytest.mark.requirement("PSK-1")
async def test_nobody_registers_a_passkey_that_somebody_else_has(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    ada, _ = await person_with_passkey(client, db, laptop)
    await add_person(db, "Bob", "bob@example.com")
    await log_in(client, "bob@example.com")
    response = await add_passkey(client, laptop)

    assert response.status_code == 422
    assert "in use already" in response.text
    assert list(await db.scalars(select(Passkey.user_id))) == [ada.id]


@pytest.mark.requirement("PSK-1")
@pytest.mark.parametrize("lie", [evil_origin, other_host])
async def test_a_passkey_made_elsewhere_is_not_kept(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator, lie: Any
) -> None:
    await add_person(db)
    await log_in(client)
    lie(laptop)
    response = await add_passkey(client, laptop)

    assert response.status_code == 422
    assert await db.scalar(select(Passkey.id)) is None


async def test_an_authenticator_is_asked_not_to_make_a_second_passkey(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    await person_with_passkey(client, db, laptop)
    await log_in_with_passkey(client, laptop)
    asked = await options(client, f"{PASSKEYS}/new/options", token=await csrf_token(client))

    assert [base64url_to_bytes(known["id"]) for known in asked["excludeCredentials"]] == [laptop.credential_id]
    assert asked["rp"] == {"name": "Slipway", "id": "slipway.test"}


async def test_a_passkey_without_a_name_is_called_after_what_keeps_it(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    bitwarden = UUID("d548826e-79b4-db40-a3d8-11116f7e8349").bytes
    first, second = Authenticator(aaguid=bitwarden, is_synced=True), Authenticator(aaguid=bitwarden)
    await add_person(db)
    await log_in(client)
    await add_passkey(client, first, name="")
    await log_in_with_passkey_again(client, first)
    await add_passkey(client, second, name="")

    assert list(await db.scalars(select(Passkey.name).order_by(Passkey.id))) == ["Bitwarden", "Bitwarden 2"]
    page = (await client.get(PASSKEYS)).text
    assert "Synced" in page
    assert "On one device" in page


async def log_in_with_passkey_again(client: AsyncTestClient, authenticator: Authenticator) -> None:
    client.cookies.clear()
    await log_in_with_passkey(client, authenticator)


async def test_a_passkey_is_renamed_and_names_are_unique(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    phone = Authenticator()
    await person_with_passkey(client, db, laptop)
    await log_in_with_passkey(client, laptop)
    await add_passkey(client, phone, "Phone")
    passkey = await db.scalar(select(Passkey).where(Passkey.name == "Phone"))
    assert passkey is not None
    taken = await post(client, f"{PASSKEYS}/{passkey.id}", name="LAPTOP")
    done = await post(client, f"{PASSKEYS}/{passkey.id}", name="Pixel")

    assert taken.status_code == 422
    assert done.status_code == 303
    assert "Pixel" in (await client.get(PASSKEYS)).text


async def test_another_persons_passkey_is_as_missing_as_none(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    await person_with_passkey(client, db, laptop)
    passkey = await db.scalar(select(Passkey))
    assert passkey is not None
    await add_person(db, "Bob", "bob@example.com")
    await log_in(client, "bob@example.com")
    for path in (f"{PASSKEYS}/{passkey.id}", f"{PASSKEYS}/{passkey.id}/remove"):
        assert (await client.get(path)).status_code == 404
        assert (await post(client, path, name="Mine", code="000000")).status_code == 404


@pytest.mark.requirement("MFA-3", "AUT-7")
async def test_removing_the_last_passkey_takes_a_factor_and_switches_the_second_step_off(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    user, _ = await person_with_passkey(client, db, laptop)
    await log_in_with_passkey(client, laptop)
    passkey = await db.scalar(select(Passkey))
    assert passkey is not None
    path = f"{PASSKEYS}/{passkey.id}/remove"
    assert "last second factor" in (await client.get(path)).text
    assert (await post(client, path)).status_code == 422
    asked = await options(client, f"{PASSKEYS}/confirm/options", token=await csrf_token(client))
    response = await post(client, path, credential=laptop.sign(asked))

    assert response.status_code == 303
    assert await db.scalar(select(User.second_factor_at).where(User.id == user.id)) is None
    sent = [template for template, _ in await templates_sent(db)]
    assert {"two_factor/passkey_removed", "two_factor/second_factor_off"} <= set(sent)
    client.cookies.clear()
    await log_in_with_passkey(client, laptop)
    assert not await is_logged_in(client)
    await log_in(client)
    assert await is_logged_in(client)
    assert "recovery code" not in (await client.get(ACCOUNT)).text


@pytest.mark.requirement("MFA-2")
async def test_a_passkey_is_a_second_factor_after_a_password(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    await person_with_passkey(client, db, laptop)
    await log_in(client)
    assert not await is_logged_in(client)
    laptop.verifies_person = False  # A plain security key is enough here: the password was the other factor.
    asked = await options(client, f"{CHALLENGE}/options")
    assert [base64url_to_bytes(known["id"]) for known in asked["allowCredentials"]] == [laptop.credential_id]
    response = await client.post(CHALLENGE, data={"credential": laptop.sign(asked)})

    assert response.status_code == 303
    assert await is_logged_in(client)


@pytest.mark.requirement("PSK-1")
async def test_the_passkey_of_somebody_else_is_no_second_factor(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    other = Authenticator()
    await person_with_passkey(client, db, laptop)
    await person_with_passkey(client, db, other, email="bob@example.com")
    await log_in(client)
    asked = await options(client, f"{CHALLENGE}/options")
    response = await client.post(CHALLENGE, data={"credential": other.sign(asked)})

    assert response.status_code == 422
    assert not await is_logged_in(client)


async def test_a_disabled_person_is_not_let_in_by_a_passkey(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    user, _ = await person_with_passkey(client, db, laptop)
    await db.execute(update(User).where(User.id == user.id).values(status="locked"))
    await log_in_with_passkey(client, laptop)

    assert not await is_logged_in(client)


@pytest.mark.requirement("PSK-1")
async def test_of_two_answers_to_one_challenge_at_once_one_is_taken(
    settings: Settings, fresh_database: Database, laptop: Authenticator
) -> None:
    app = create_app(settings, database=fresh_database)
    statuses: list[bool] = []
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        async with fresh_database.transaction() as db:
            await add_person(db)
        await log_in(client)
        await add_passkey(client, laptop)
        client.cookies.clear()
        answer = laptop.sign(await options(client, "/log-in/passkey/options"))
        state = dict(client.cookies)

        async def send() -> None:
            async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as browser:
                for name, value in state.items():
                    browser.cookies.set(name, value)
                await browser.post("/log-in/passkey", data={"credential": answer})
                statuses.append(await is_logged_in(browser))

        async with anyio.create_task_group() as group:
            group.start_soon(send)
            group.start_soon(send)

    assert sorted(statuses) == [False, True]


async def test_used_challenges_are_forgotten_when_they_have_expired(
    client: AsyncTestClient, db: AsyncSession, laptop: Authenticator
) -> None:
    await person_with_passkey(client, db, laptop)
    assert await db.scalar(select(UsedPasskeyChallenge.expires_at)) is not None
    assert await forget_challenges(db) == 0
    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False):
        assert await forget_challenges(db) == 1


async def test_password_managers_find_where_passkeys_are_made_and_managed(client: AsyncTestClient) -> None:
    response = await client.get("/.well-known/passkey-endpoints")

    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "enroll": "https://slipway.test/account/passkeys/new",
        "manage": "https://slipway.test/account/passkeys",
    }
