"""Confirming that it is you."""

from datetime import timedelta
from urllib.parse import quote

import httpx2
import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.dependencies import ConfirmedSession
from app.accounts.models import Password, Session
from app.accounts.sessions import CONFIRMED_FOR, hash_token
from app.audit.models import AuditEvent
from app.database import system_scope
from core.applications import Starlette
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    NEW_PASSWORD,
    PASSWORD,
    add_person,
    csrf_token,
    log_in,
    mailed_code,
    newest_message,
)

COOKIE = "__Host-session"
LATER = CONFIRMED_FOR + timedelta(seconds=5)
PLACE = "/dangerous?with=care"


async def dangerous(request: Request, _session: ConfirmedSession) -> Response:
    return PlainTextResponse("boom")


@pytest.fixture
async def ada(app: Starlette, client: AsyncTestClient, db: AsyncSession) -> AsyncTestClient:
    """The browser of somebody who is logged in, in an application with something dangerous in it."""
    app.routes.append(Route("/dangerous", dangerous, methods=["GET", "POST"], name="tests.dangerous"))
    await add_person(db)
    await log_in(client)
    return client


async def confirm(client: AsyncTestClient, password: str = PASSWORD, **fields: str) -> httpx2.Response:
    form = {"password": password, "csrf_token": await csrf_token(client), **fields}
    return await client.post("/confirm-identity", data=form)


@pytest.mark.requirement("SES-3")
async def test_what_is_dangerous_wants_a_proof_of_the_last_quarter_of_an_hour(ada: AsyncTestClient) -> None:
    with clock.travel(CONFIRMED_FOR - timedelta(seconds=5)):
        assert (await ada.get(PLACE)).text == "boom"
    with clock.travel(LATER):
        response = await ada.get(PLACE)
        assert (response.status_code, response.headers["location"]) == (
            303,
            f"/confirm-identity?next={quote(PLACE, safe='/')}",
        )
        page = await ada.get(response.headers["location"])
        assert page.status_code == 200
        assert f'name="next" value="{PLACE}"' in page.text
        response = await confirm(ada, next=PLACE)
        assert (response.status_code, response.headers["location"]) == (303, PLACE)
        assert (await ada.get(PLACE)).text == "boom"


@pytest.mark.requirement("SES-2")
async def test_a_proof_gives_the_session_a_new_token_and_ends_the_old_one(
    ada: AsyncTestClient, db: AsyncSession
) -> None:
    before = ada.cookies[COOKIE]
    await confirm(ada)
    after = ada.cookies[COOKIE]

    assert after != before
    session = (await db.scalars(select(Session))).one()
    assert (session.token_hash, session.authentication_methods) == (hash_token(after), ["password"])
    ada.cookies.set(COOKIE, before, domain="slipway.test", path="/")
    assert (await ada.get("/account/sessions")).headers["location"].startswith("/log-in")


async def test_a_wrong_password_changes_nothing_and_is_noted(ada: AsyncTestClient, db: AsyncSession) -> None:
    with clock.travel(LATER):
        response = await confirm(ada, NEW_PASSWORD, next=PLACE)
        assert response.status_code == 422
        assert "not your present password" in response.text
        assert f'name="next" value="{PLACE}"' in response.text
        assert NEW_PASSWORD not in response.text
        assert (await ada.get(PLACE)).status_code == 303
    async with system_scope(db):
        assert await db.scalar(select(AuditEvent.action).where(AuditEvent.action == "accounts.confirmation_refused"))


async def test_a_refused_form_leads_back_to_the_page_that_showed_it(ada: AsyncTestClient) -> None:
    headers = {"referer": "https://slipway.test/account/sessions?page=2"}
    token = {"csrf_token": await csrf_token(ada)}
    with clock.travel(LATER):
        response = await ada.post("/dangerous", data=token, headers=headers)
        assert response.headers["location"] == "/confirm-identity?next=/account/sessions%3Fpage%3D2"


@pytest.mark.requirement("RED-1")
@pytest.mark.parametrize(
    "referer",
    [
        "",
        "https://evil.example/account",
        "http://slipway.test/account",
        "https://slipway.test.evil.example/",
        "https://slipway.test//evil.example",
        "https://slipway.test/\\evil.example",
        "https://slipway.test:444/account",
        "https://[/account",
        "about:blank",
    ],
)
async def test_only_a_page_of_this_site_is_led_back_to(ada: AsyncTestClient, referer: str) -> None:
    token = {"csrf_token": await csrf_token(ada)}
    with clock.travel(LATER):
        response = await ada.post("/dangerous", data=token, headers={"referer": referer})
    assert response.headers["location"] == "/confirm-identity"


@pytest.mark.requirement("RED-1")
@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_a_proof_never_leads_to_another_site(ada: AsyncTestClient, target: str) -> None:
    assert "evil" not in (await ada.get("/confirm-identity", params={"next": target})).text
    assert (await confirm(ada, next=target)).headers["location"] == "/o"


async def test_programs_are_refused_instead_of_led_on(ada: AsyncTestClient) -> None:
    with clock.travel(LATER):
        response = await ada.get(PLACE, headers={"accept": "application/json"})
    assert response.status_code == 403


@pytest.mark.requirement("TOK-1")
async def test_a_mailed_code_is_a_proof_too(ada: AsyncTestClient, db: AsyncSession) -> None:
    with clock.travel(LATER):
        form = {"csrf_token": await csrf_token(ada), "next": PLACE}
        response = await ada.post("/confirm-identity/send", data=form)
        assert response.headers["location"] == f"/confirm-identity/code?next={quote(PLACE, safe='/')}"
        page = await ada.get(response.headers["location"])
        assert "a•••@example.com" in page.text
        assert (await newest_message(db)).template == "identity/code"
        response = await ada.post("/confirm-identity/code", data={**form, "code": await mailed_code(db)})
        assert (response.status_code, response.headers["location"]) == (303, PLACE)
        assert (await ada.get(PLACE)).text == "boom"
        form["csrf_token"] = await csrf_token(ada)
        again = await ada.post("/confirm-identity/code", data={**form, "code": await mailed_code(db)})
        assert again.status_code == 422


@pytest.mark.requirement("TOK-1")
async def test_a_code_that_confirms_is_no_code_that_logs_in(ada: AsyncTestClient, db: AsyncSession) -> None:
    await ada.post("/confirm-identity/send", data={"csrf_token": await csrf_token(ada)})
    code = await mailed_code(db)
    ada.cookies.clear()

    assert (await ada.post("/log-in/code/sent", data={"code": code})).headers.get("location") in (None, "/log-in/code")
    assert COOKIE not in ada.cookies


async def test_somebody_without_a_password_is_offered_the_code_alone(ada: AsyncTestClient, db: AsyncSession) -> None:
    await db.execute(delete(Password))
    page = await ada.get("/confirm-identity")

    assert 'type="password"' not in page.text
    assert "Mail me a code" in page.text


@pytest.mark.requirement("THR-4")
async def test_a_stolen_session_is_no_place_to_guess_passwords_from(ada: AsyncTestClient) -> None:
    token = await csrf_token(ada)
    form = {"password": NEW_PASSWORD, "csrf_token": token}
    statuses = [(await ada.post("/confirm-identity", data=form)).status_code for _ in range(12)]

    assert statuses == [422] * 10 + [429] * 2


async def test_strangers_are_led_to_the_log_in(client: AsyncTestClient) -> None:
    assert (await client.get("/confirm-identity")).headers["location"] == "/log-in?next=/confirm-identity"
