"""Between the two steps of a log-in: nothing is open but the second step, whichever way the first was done."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import LoginChallenge, Session
from app.config import Settings
from app.policy import is_public
from core.applications import Starlette
from core.routing import BaseRoute, Mount, Route, WebSocketRoute
from core.testclient import AsyncTestClient
from tests.app.accounts.people import NEW_PASSWORD, add_person, ask_for_reset, log_in, mailed_token, visitor
from tests.app.two_factor.holding import (
    ACCOUNT,
    CHALLENGE,
    code_of,
    csrf_token,
    is_logged_in,
    person_with_app,
    post,
    recorded,
    set_up_app,
)
from tests.databases import RolledBackDatabase

ROOT = Path(__file__).parents[3]
PARAMETERS = {"uuid": "01890000-0000-7000-8000-000000000000", "int": "1", "path": "x"}


def routes_of(app: Starlette) -> Iterator[BaseRoute]:
    def walk(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
        for route in routes:
            yield route
            if isinstance(route, Mount):
                yield from walk(list(route.routes or []))

    return walk(list(app.routes))


def example_path(template: str) -> str:
    """The path with something for every parameter."""
    parts = []
    for part in template.split("/"):
        name, _, kind = part.strip("{}").partition(":")
        parts.append(PARAMETERS.get(kind, "x") if part.startswith("{") else name if part == name else part)
    return "/".join(parts)


async def pending_client(client: AsyncTestClient, db: AsyncSession) -> None:
    await person_with_app(client, db)
    assert (await log_in(client)).headers["location"] == CHALLENGE


@pytest.mark.requirement("MFA-1")
async def test_a_password_alone_opens_no_page_and_no_endpoint(
    app: Starlette, client: AsyncTestClient, db: AsyncSession
) -> None:
    await pending_client(client, db)
    closed = [route for route in routes_of(app) if isinstance(route, Route) and not is_public(route)]
    assert len(closed) > 30
    for route in closed:
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            for accept in ("text/html", "application/json"):
                path = example_path(route.path)
                response = await client.request(method, path, headers={"accept": accept})
                leads = response.headers.get("location", "")
                refused = response.status_code in (401, 403, 404, 405, 415) or leads.startswith("/log-in")
                assert refused, (method, path, accept, response.status_code, leads)


@pytest.mark.requirement("MFA-1")
async def test_a_password_alone_shows_public_pages_as_to_a_stranger(
    app: Starlette, client: AsyncTestClient, db: AsyncSession
) -> None:
    address = "somebody.of.this.test@example.com"
    await person_with_app(client, db, email=address)
    await log_in(client, address)
    for route in routes_of(app):
        is_page = isinstance(route, Route) and is_public(route) and "GET" in (route.methods or ())
        # The mailbox of development shows everybody's mail, which is what it is for.
        if isinstance(route, Route) and is_page and "{" not in route.path and not route.path.startswith("/dev/"):
            response = await client.get(route.path)
            assert address not in response.text, route.path
    assert await db.scalar(select(func.count()).select_from(Session).where(Session.revoked_at.is_(None))) == 1


@pytest.mark.requirement("MFA-1")
async def test_a_password_alone_asks_graphql_for_nothing(client: AsyncTestClient, db: AsyncSession) -> None:
    await pending_client(client, db)
    response = await client.post("/graphql", json={"query": "{ viewer { name } }"})

    assert "Ada" not in response.text
    assert response.status_code in (401, 403) or "errors" in response.json()


@pytest.mark.requirement("MFA-1")
async def test_a_password_alone_opens_no_socket(app: Starlette, client: AsyncTestClient, db: AsyncSession) -> None:
    await pending_client(client, db)
    sockets = [route for route in routes_of(app) if isinstance(route, WebSocketRoute) and not is_public(route)]
    for route in sockets:
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever way the door is shut
            async with client.websocket_connect(example_path(route.path)) as socket:
                await socket.receive_text()


@pytest.mark.requirement("MFA-6")
def test_one_gate_starts_sessions() -> None:
    """Whoever calls `start_session` decides whether a second factor is asked for: only the gate may."""
    callers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in ("start_session", "set_session_cookie")
    }
    assert callers == {"app/accounts/entering.py"}


@pytest.mark.requirement("MFA-6")
async def test_a_mailed_link_asks_for_the_second_factor_too(client: AsyncTestClient, db: AsyncSession) -> None:
    await person_with_app(client, db)
    await client.post("/log-in/code", data={"email": "ada@example.com"})
    token = await mailed_token(db)
    response = await client.post("/log-in/code/link", data={"token": token})

    assert response.headers.get("location") == CHALLENGE, (response.status_code, response.headers)
    assert not await is_logged_in(client)


@pytest.mark.requirement("MFA-6", "TOK-3")
async def test_a_new_password_by_mail_does_not_spare_the_second_factor(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    _, secret, _ = await person_with_app(client, db)
    await ask_for_reset(client)
    await client.post("/reset-password", data={"token": await mailed_token(db), "password": NEW_PASSWORD})
    assert not await is_logged_in(client)
    assert (await log_in(client, password=NEW_PASSWORD)).headers["location"] == CHALLENGE
    assert (await client.post(CHALLENGE, data={"code": code_of(secret)})).status_code == 303


@pytest.mark.requirement("MFA-4")
async def test_codes_are_guessed_five_times_and_the_other_factors_keep_their_budgets(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    _, secret, codes = await person_with_app(client, db)
    await log_in(client)
    answers = [await client.post(CHALLENGE, data={"code": f"00000{number}"}) for number in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert (await client.post(CHALLENGE, data={"code": code_of(secret)})).status_code == 429
    assert (await client.post(f"{CHALLENGE}/recovery-code", data={"code": codes[0]})).status_code == 303
    assert (await recorded(db)).count("two_factor.proof_refused") == 5


@pytest.mark.requirement("MFA-4")
async def test_a_day_of_guessing_ends_after_fifty(client: AsyncTestClient, db: AsyncSession) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret)})  # The first attempt of the fifty.
    guess = {"csrf_token": await csrf_token(client), "code": "000000"}
    statuses, start = [], clock.now()
    for hours in range(11):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            statuses += [(await client.post("/confirm-identity/two-factor", data=guess)).status_code for _ in range(5)]

    # The fifth guess of the first hour comes too early, and does not count for the day.
    assert [status for status in statuses if status == 422] == [422] * 49
    assert statuses[-5:] == [429] * 5


@pytest.mark.requirement("MFA-4")
async def test_an_unfinished_log_in_ends_after_ten_minutes(client: AsyncTestClient, db: AsyncSession) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=1), tick=False):
        response = await client.post(CHALLENGE, data={"code": code_of(secret)})

        assert response.headers["location"] == "/log-in"
        assert not await is_logged_in(client)


@pytest.mark.requirement("MFA-4")
async def test_cancelling_forgets_the_first_proof_here_and_in_the_database(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    held = dict(client.cookies)
    await client.post(f"{CHALLENGE}/cancel")
    assert await db.scalar(select(LoginChallenge.id)) is None

    for name, value in held.items():
        client.cookies.set(name, value)
    assert (await client.post(CHALLENGE, data={"code": code_of(secret)})).headers["location"] == "/log-in"


@pytest.mark.requirement("MFA-4")
async def test_a_second_person_in_the_same_browser_gets_nothing_of_the_first(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    _, secret, _ = await person_with_app(client, db)
    _, other_secret, _ = await person_with_app(client, db, email="bob@example.com")
    await log_in(client)
    await log_in(client, "bob@example.com")

    assert (await client.post(CHALLENGE, data={"code": code_of(secret)})).status_code == 422
    assert (await client.post(CHALLENGE, data={"code": code_of(other_secret)})).status_code == 303
    assert (await client.get("/api/v1/me")).json()["email"] == "bob@example.com"


@pytest.mark.requirement("MFA-1")
async def test_without_a_first_proof_there_is_no_second_question(client: AsyncTestClient) -> None:
    for path in (CHALLENGE, f"{CHALLENGE}/recovery-code", f"{CHALLENGE}/lost-access"):
        assert (await client.get(path)).headers["location"] == "/log-in"
        if path != f"{CHALLENGE}/lost-access":
            assert (await client.post(path, data={"code": "000000"})).headers["location"] == "/log-in"


@pytest.mark.requirement("MFA-7")
async def test_a_trusted_browser_is_not_asked_again_and_others_are(client: AsyncTestClient, db: AsyncSession) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret), "trust": "true"})
    device = client.cookies["__Host-device"]
    client.cookies.clear()
    assert (await log_in(client)).headers["location"] == CHALLENGE
    client.cookies.clear()
    client.cookies.set("__Host-device", device)
    assert (await log_in(client)).headers["location"] != CHALLENGE
    assert await is_logged_in(client)


@pytest.mark.requirement("MFA-7")
async def test_trust_ends_after_thirty_days(client: AsyncTestClient, db: AsyncSession) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret), "trust": "true"})
    with time_machine.travel(clock.now() + timedelta(days=30, seconds=1), tick=False):
        await client.post("/log-out", data={"csrf_token": ""})
        device = client.cookies["__Host-device"]
        client.cookies.clear()
        client.cookies.set("__Host-device", device)
        assert (await log_in(client)).headers["location"] == CHALLENGE


@pytest.mark.requirement("MFA-7")
@pytest.mark.parametrize(("days", "words"), [(1, "Trust this device for 1 day"), (0, None)])
async def test_the_operator_says_how_long_devices_are_trusted_if_at_all(
    client: AsyncTestClient,
    db: AsyncSession,
    settings: Settings,
    database: RolledBackDatabase,
    days: int,
    words: str | None,
) -> None:
    _, secret, _ = await person_with_app(client, db)
    lifetimes = replace(settings.sessions, trusted=timedelta(days=days))
    async with visitor(settings, database, sessions=lifetimes) as browser:
        await log_in(browser)
        page = (await browser.get(CHALLENGE)).text
        assert ("Trust this device" in page) is bool(words)
        assert (words or "") in page
        await browser.post(CHALLENGE, data={"code": code_of(secret), "trust": "true"})
        device = browser.cookies["__Host-device"]
        for after, is_asked in ((timedelta(hours=23), not days), (timedelta(hours=25), True)):
            browser.cookies.clear()
            browser.cookies.set("__Host-device", device)
            with time_machine.travel(clock.now() + after, tick=False):
                assert ((await log_in(browser)).headers["location"] == CHALLENGE) is is_asked


@pytest.mark.requirement("MFA-7")
async def test_a_device_that_was_trusted_before_is_none_where_none_are_trusted_any_more(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase
) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret), "trust": "true"})
    async with visitor(settings, database, sessions=replace(settings.sessions, trusted=timedelta(0))) as browser:
        browser.cookies.set("__Host-device", client.cookies["__Host-device"])
        assert (await log_in(browser)).headers["location"] == CHALLENGE


@pytest.mark.requirement("MFA-7")
async def test_trust_ends_with_a_change_of_factors(client: AsyncTestClient, db: AsyncSession) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret), "trust": "true"})
    device = client.cookies["__Host-device"]
    await post(client, f"{ACCOUNT}/app/remove", code=code_of(secret, steps=1))
    await set_up_app(client)
    client.cookies.clear()
    client.cookies.set("__Host-device", device)

    assert (await log_in(client)).headers["location"] == CHALLENGE


@pytest.mark.requirement("MFA-7")
async def test_a_trusted_browser_may_not_change_factors_before_it_shows_one(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret), "trust": "true"})
    device = client.cookies["__Host-device"]
    client.cookies.clear()
    client.cookies.set("__Host-device", device)
    await log_in(client)
    for path in ("/account/passkeys/new", f"{ACCOUNT}/recovery-codes"):
        assert (await client.get(path)).headers["location"].startswith("/confirm-identity/two-factor?next=")
        if path.endswith("codes"):
            assert (await post(client, path)).headers["location"].startswith("/confirm-identity/two-factor")


async def test_a_code_confirms_who_somebody_is(client: AsyncTestClient, db: AsyncSession) -> None:
    _, secret, _ = await person_with_app(client, db)
    await log_in(client)
    await client.post(CHALLENGE, data={"code": code_of(secret)})
    with time_machine.travel(clock.now() + timedelta(minutes=20), tick=False):
        asked = await client.get(f"{ACCOUNT}/recovery-codes")
        assert asked.headers["location"].startswith("/confirm-identity?next=")
        assert "/confirm-identity/two-factor" in (await client.get(asked.headers["location"])).text
        wrong = await post(client, "/confirm-identity/two-factor", code="000000")
        assert wrong.status_code == 422
        done = await post(
            client, "/confirm-identity/two-factor", code=code_of(secret), next=f"{ACCOUNT}/recovery-codes"
        )
        assert done.headers["location"] == f"{ACCOUNT}/recovery-codes"
        assert (await client.get(f"{ACCOUNT}/recovery-codes")).status_code == 200


async def test_people_without_a_second_factor_are_led_past(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)

    assert (await client.get("/confirm-identity/two-factor")).headers["location"] == "/confirm-identity"
