"""Proving an address by the code in the message, in the browser that signed up."""

import anyio
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import signing_up
from app.accounts.codes import MOST_ATTEMPTS, CodeDoesNotWork
from app.accounts.models import OneTimeToken
from app.accounts.queries import find_user
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import PASSWORD, add_person, log_in, mailed_code, mailed_token, sign_up


async def type_code(client: AsyncTestClient, code: str) -> int:
    return (await client.post("/verify-email/sent", data={"code": code})).status_code


@pytest.mark.requirement("TOK-1")
async def test_the_code_proves_the_address(client: AsyncTestClient, db: AsyncSession) -> None:
    await sign_up(client, next="/account/sessions")
    response = await client.post("/verify-email/sent", data={"code": await mailed_code(db)})

    assert (response.status_code, response.headers["location"]) == (303, "/log-in?next=/account/sessions")
    assert "Your e-mail address is confirmed" in (await client.get(response.headers["location"])).text
    assert (await log_in(client)).status_code == 303
    assert (await client.get("/o")).headers["location"] == "/o/ada-lovelace"


@pytest.mark.requirement("TOK-1")
async def test_the_code_and_the_link_work_once_together(client: AsyncTestClient, db: AsyncSession) -> None:
    await sign_up(client)
    code, token = await mailed_code(db), await mailed_token(db)
    assert await type_code(client, code) == 303

    assert await type_code(client, code) == 422
    assert (await client.post("/verify-email", data={"token": token})).status_code == 410


@pytest.mark.requirement("TOK-1")
async def test_a_few_wrong_codes_end_it_and_a_new_message_brings_another(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await sign_up(client)
    code = await mailed_code(db)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    response = await client.post("/verify-email/sent", data={"code": wrong})
    assert response.status_code == 422
    assert "This code does not work" in response.text
    for _ in range(MOST_ATTEMPTS - 1):
        await type_code(client, wrong)
    assert await type_code(client, code) == 422

    await client.post("/verify-email/again")
    assert await type_code(client, await mailed_code(db)) == 303


@pytest.mark.requirement("AUT-5")
async def test_the_code_in_anothers_mail_is_worth_nothing_in_the_browser_of_who_caused_it(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    """A stranger claims the address as well; the owner's code proves the owner's claim, in the owner's browser."""
    await sign_up(client)
    code = await mailed_code(db)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as stranger:
        await sign_up(stranger, name="Mallory")
        of_stranger = await mailed_code(db)
        if code != of_stranger:
            assert await type_code(stranger, code) == 422
    assert await type_code(client, code) == 303
    user = await find_user(db, "ada@example.com")
    assert user is not None
    assert user.name == "Ada Lovelace"


@pytest.mark.requirement("AUT-1")
async def test_who_signs_up_with_a_taken_address_learns_nothing_from_the_code(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await sign_up(client)

    assert await type_code(client, "123456") == 422
    # Even the code that was mailed to nobody could not take the address from its owner.
    assert (await db.scalars(select(OneTimeToken.used_at))).all() == [None]


@pytest.mark.requirement("AUT-5", "TOK-1")
async def test_of_two_browsers_that_prove_the_same_address_at_once_one_gets_it_and_none_waits_for_ever(
    settings: Settings, fresh_database: Database
) -> None:
    """Whoever proves the address deletes the other's claim; without an order the two would lock each other out."""
    for number in range(3):
        address, codes = f"ada{number}@example.com", {}
        for browser in ("one", "other"):
            async with fresh_database.transaction() as db:
                claim = {"name": "Ada", "email": address, "password": PASSWORD, "browser": browser + str(number)}
                await signing_up.sign_up(db, settings, **claim, facts=RequestFacts())
                codes[browser + str(number)] = await mailed_code(db, address)
        outcomes: list[str] = []

        async def prove(browser: str, digits: str, outcomes: list[str] = outcomes) -> None:
            try:
                async with fresh_database.transaction() as db:
                    await signing_up.verify_email_by_code(
                        db, settings, browser=browser, digits=digits, facts=RequestFacts()
                    )
                    # Both have used their code up by now, if nothing holds one of them back.
                    await anyio.lowlevel.checkpoint()
            except CodeDoesNotWork:
                outcomes.append("late")
            else:
                outcomes.append("first")

        async with anyio.create_task_group() as group:
            for browser, digits in codes.items():
                group.start_soon(prove, browser, digits)
        assert sorted(outcomes) == ["first", "late"]


async def test_without_a_sign_up_there_is_no_code_to_type(client: AsyncTestClient) -> None:
    assert (await client.post("/verify-email/sent", data={"code": "123456"})).headers["location"] == "/sign-up"
