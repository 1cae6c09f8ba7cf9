"""Who may sign up, and what people agree to."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Consent, User
from app.accounts.strength import strength
from app.config import Settings, SettingsError, load_settings
from app.terms import TERMS_VERSION
from core.testclient import AsyncTestClient
from tests.app.accounts.people import PASSWORD, sign_up, templates_sent, visitor
from tests.databases import RolledBackDatabase


async def test_only_people_of_the_named_domains_sign_up(
    settings: Settings, database: RolledBackDatabase, db: AsyncSession
) -> None:
    async with visitor(settings, database, sign_up="domains", sign_up_domains=("example.com",)) as client:
        refused = await sign_up(client, email="ada@example.com.evil.org")
        assert (refused.status_code, "Sign up with an address at example.com" in refused.text) == (422, True)
        assert (await sign_up(client, email="ada@EXAMPLE.com")).status_code == 303

    assert await templates_sent(db) == [("accounts/verify_email", "ada@example.com")]


async def test_without_an_invitation_nobody_signs_up_by_invitation(
    settings: Settings, database: RolledBackDatabase, db: AsyncSession
) -> None:
    async with visitor(settings, database, sign_up="invitation") as client:
        assert "You need an invitation" in (await client.get("/sign-up")).text
        assert (await sign_up(client)).status_code == 403

    assert await db.scalar(select(User.id)) is None


@pytest.mark.requirement("AUT-1")
async def test_a_taken_address_is_refused_by_the_domain_rule_like_a_free_one(
    settings: Settings, database: RolledBackDatabase, db: AsyncSession
) -> None:
    async with visitor(settings, database, sign_up="open") as client:
        await sign_up(client, email="ada@example.org")
    async with visitor(settings, database, sign_up="domains", sign_up_domains=("example.com",)) as client:
        answers = [await sign_up(client, email=f"{name}@example.org") for name in ("ada", "bob")]

    assert {answer.status_code for answer in answers} == {422}


def test_a_list_of_no_domains_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="SIGN_UP_DOMAINS is missing"):
        load_settings({"SIGN_UP": "domains"})
    assert load_settings({"SIGN_UP": "domains", "SIGN_UP_DOMAINS": "@Example.com, bücher.example"}).sign_up_domains == (
        "example.com",
        "xn--bcher-kva.example",
    )


async def test_accepting_the_terms_is_asked_for_and_recorded(client: AsyncTestClient, db: AsyncSession) -> None:
    refused = await sign_up(client, terms="false")
    assert (refused.status_code, "Accept the terms to go on." in refused.text) == (422, True)
    await sign_up(client)

    consent = (await db.scalars(select(Consent))).one()
    assert (consent.policy, consent.version, consent.ip) == ("terms", TERMS_VERSION, "testclient")
    assert await db.scalar(select(User.terms_version)) == TERMS_VERSION


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("short", 0),
        ("password1234", 0),
        ("aaaaaaaaaaaaaaaaaaaa", 0),
        ("ada.lovelace@example.com", 0),
        ("zxqwkjvbnmpo", 1),
        (PASSWORD, 4),
        ("tR9!vq#2Lm@x", 2),
    ],
)
def test_the_meter_measures_what_cannot_be_foreseen(password: str, expected: int) -> None:
    assert strength(password, ("Ada Lovelace", "ada.lovelace@example.com")) == expected


async def test_the_meter_answers_without_a_statement_and_stays_without_a_script(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    answer = await client.post("/password-strength", data={"password": PASSWORD})
    assert answer.json() == {"score": 4, "text": "Strong"}
    weak = await client.post("/password-strength", data={"password": "grace.hopper 1906", "name": "Grace Hopper"})
    assert weak.json()["score"] == 0
    ours = await client.post("/password-strength", data={"password": "Slipway-2026!"})
    assert "ours" in ours.json()["text"]

    page = await sign_up(client, password="password1234")
    assert 'value="0" aria-label="Strength of the password"' in page.text
    assert "Too easy to guess" in page.text
