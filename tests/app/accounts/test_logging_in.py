"""Logging in and out, and the sessions in between."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts import passwords, sessions
from app.accounts.models import Password, Session, User
from app.audit.models import AuditEvent
from app.config import Settings
from app.config_sessions import SessionLifetimes
from app.database import Database, system_scope
from app.main import create_app
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import (
    NEW_PASSWORD,
    PASSWORD,
    add_person,
    csrf_token,
    log_in,
    mailed_token,
    sign_up,
    templates_sent,
    visitor,
)
from tests.databases import RolledBackDatabase

Statements = Callable[[], AbstractContextManager[list[str]]]
COOKIE = "__Host-session"


async def test_logging_in_takes_six_statements_at_most(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    await add_person(db)
    with statements() as executed:
        response = await log_in(client)

    assert response.status_code == 303
    assert len(executed) <= 6, "\n".join(executed)


@pytest.mark.requirement("CKE-1")
async def test_the_cookie_is_bound_to_the_host_and_out_of_reach_of_scripts(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    response = await log_in(client)

    cookie = next(value for value in response.headers.get_list("set-cookie") if value.startswith(f"{COOKIE}="))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= attributes
    assert not any(part.startswith("domain") for part in attributes)
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.requirement("SES-1")
async def test_the_database_keeps_only_a_hash_of_the_cookie(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)

    token = client.cookies[COOKIE]
    row = (await db.execute(select(Session.__table__))).mappings().one()
    assert row["token_hash"] == sessions.hash_token(token)
    assert all(token not in str(value) for value in row.values())


@pytest.mark.requirement("SES-2")
async def test_a_cookie_that_was_set_beforehand_does_not_become_a_session(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    planted = sessions.new_token()
    client.cookies.set(COOKIE, planted, domain="slipway.test", path="/")
    page = await client.get("/log-in")
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    response = await log_in(client, csrf_token=token)

    assert response.status_code == 303
    assert planted not in str(response.headers.get_list("set-cookie"))
    assert await db.scalar(select(Session.token_hash)) != sessions.hash_token(planted)


@pytest.mark.requirement("AUT-1")
async def test_wrong_passwords_and_unknown_addresses_get_the_same_answer(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await sign_up(client, email="claimed@example.com")
    client.cookies.clear()
    answers = []
    for email in ("ada@example.com", "nobody@example.com", "claimed@example.com"):
        response = await log_in(client, email=email, password=NEW_PASSWORD)
        answers.append((response.status_code, sorted(response.headers), response.text.replace(email, "")))

    assert answers[0][0] == 422
    assert "The e-mail address or the password is wrong." in answers[0][2]
    without_nonces = [(status, headers, _without_nonces(text)) for status, headers, text in answers]
    assert without_nonces[0] == without_nonces[1] == without_nonces[2]


def _without_nonces(text: str) -> str:
    return "".join(part.partition('"')[2] if index else part for index, part in enumerate(text.split('nonce="')))


async def test_what_was_typed_is_kept_but_not_the_password(client: AsyncTestClient) -> None:
    response = await log_in(client, next="/o/x/members")

    assert 'value="ada@example.com"' in response.text
    assert 'name="next" value="/o/x/members"' in response.text
    assert PASSWORD not in response.text


@pytest.mark.requirement("AUT-7")
async def test_a_refused_log_in_is_in_the_audit_trail(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await log_in(client, password=NEW_PASSWORD)

    async with system_scope(db):
        event = (await db.scalars(select(AuditEvent).where(AuditEvent.action == "accounts.log_in_refused"))).one()
    assert (event.actor_id, event.target_id, event.target_label) == (None, user.id, "ada@example.com")


@pytest.mark.requirement("AUT-5")
async def test_the_right_password_of_an_unverified_account_asks_for_proof(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await sign_up(client)
    client.cookies.clear()
    response = await log_in(client, next="/o/x")

    assert (response.status_code, response.headers["location"]) == (303, "/verify-email/sent")
    assert COOKIE not in client.cookies
    assert await templates_sent(db) == [("accounts/verify_email", "ada@example.com")] * 2
    assert "Confirm your e-mail address first" in (await client.get("/verify-email/sent")).text
    response = await client.post("/verify-email", data={"token": await mailed_token(db)})
    assert response.headers["location"] == "/log-in?next=/o/x"


async def test_the_wrong_password_of_an_unverified_account_mails_nothing(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await sign_up(client)
    client.cookies.clear()

    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 422
    assert len(await templates_sent(db)) == 1


@pytest.mark.requirement("AUT-4")
@pytest.mark.parametrize("email", ["ADA@EXAMPLE.COM", " ada@Example.com "])
async def test_the_case_of_an_address_does_not_matter(client: AsyncTestClient, db: AsyncSession, email: str) -> None:
    await add_person(db)

    assert (await log_in(client, email=email)).status_code == 303


@pytest.mark.requirement("AUT-4")
@pytest.mark.parametrize(
    "email",
    [
        "\u00e1da@example.com",
        "ad\u0430@example.com",
        "\uff41da@example.com",
        "ada@ex\u0430mple.com",
        "ada@example\u3002com",
    ],
)
async def test_an_address_that_only_looks_the_same_is_another(
    client: AsyncTestClient, db: AsyncSession, email: str
) -> None:
    await add_person(db)
    response = await log_in(client, email=email)
    client.cookies.clear()
    await client.post("/forgot-password", data={"email": email})

    stands_for_ours = email.endswith(
        "\u3002com"
    )  # IDNA takes the ideographic full stop for a dot (RFC 3490 section 3.1).
    assert (response.status_code == 303) is stands_for_ours
    sent = [(template, to) for template, to in await templates_sent(db) if to == "ada@example.com"]
    assert sent == ([("passwords/reset_password", "ada@example.com")] if stands_for_ours else [])


@pytest.mark.requirement("PWD-3")
async def test_a_password_is_one_whatever_keyboard_typed_it(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    composed, decomposed = "crème brûlée at dusk", "cre\u0300me bru\u0302le\u0301e at dusk"
    hashed = await passwords.hash_password(composed)
    await db.execute(update(Password).where(Password.user_id == user.id).values(hash=hashed))

    assert (await log_in(client, password=decomposed)).status_code == 303


@pytest.mark.requirement("AUT-6", "AUT-1")
async def test_people_who_are_locked_out_get_the_answer_of_strangers(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await log_in(client)
    await db.execute(update(User).where(User.id == user.id).values(status="locked"))

    assert (await client.get("/o/ada-lovelace")).headers["location"].startswith("/log-in")
    client.cookies.clear()
    assert (await log_in(client)).status_code == 422


@pytest.mark.requirement("PWD-1")
async def test_hashes_made_with_weaker_parameters_are_renewed(client: AsyncTestClient, db: AsyncSession) -> None:
    from argon2 import PasswordHasher

    user = await add_person(db)
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    await db.execute(update(Password).where(Password.user_id == user.id).values(hash=weak))

    assert (await log_in(client)).status_code == 303
    hashed = await db.scalar(select(Password.hash).where(Password.user_id == user.id))
    assert hashed is not None
    assert not passwords.is_outdated(hashed)


async def test_logging_in_leads_to_the_page_that_was_asked_for(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    response = await client.get("/o/ada-lovelace/members?sort=name")
    assert (response.status_code, response.headers["location"]) == (
        303,
        "/log-in?next=/o/ada-lovelace/members%3Fsort%3Dname",
    )

    page = await client.get(response.headers["location"])
    assert 'name="next" value="/o/ada-lovelace/members?sort=name"' in page.text
    response = await log_in(client, next="/o/ada-lovelace/members?sort=name")
    assert response.headers["location"] == "/o/ada-lovelace/members?sort=name"


@pytest.mark.requirement("RED-1")
@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_logging_in_never_leads_to_another_site(client: AsyncTestClient, db: AsyncSession, target: str) -> None:
    await add_person(db)
    assert "evil" not in (await client.get("/log-in", params={"next": target})).text

    assert (await log_in(client, next=target)).headers["location"] == "/o"


async def test_programs_get_a_problem_document_instead_of_a_redirect(client: AsyncTestClient) -> None:
    response = await client.get("/o/ada-lovelace", headers={"accept": "application/json"})

    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"


async def test_an_expired_form_leads_to_the_log_in_without_a_way_back(client: AsyncTestClient) -> None:
    response = await client.post("/o/ada-lovelace/settings", data={"name": "x"})

    assert (response.status_code, response.headers["location"]) == (303, "/log-in")


@pytest.mark.requirement("SES-2", "HDR-3")
async def test_logging_out_ends_the_session_for_good(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    stolen = client.cookies[COOKIE]
    response = await client.post("/log-out", data={"csrf_token": await csrf_token(client)})

    assert (response.status_code, response.headers["location"]) == (303, "/log-in")
    assert response.headers["clear-site-data"] == '"cache", "storage"'
    assert COOKIE not in client.cookies
    assert "You are logged out." in (await client.get("/log-in")).text
    client.cookies.set(COOKIE, stolen, domain="slipway.test", path="/")
    assert (await client.get("/o/ada-lovelace")).headers["location"] == "/log-in?next=/o/ada-lovelace"


@pytest.mark.requirement("CSR-1", "CSR-2")
async def test_logging_out_needs_the_token_of_our_own_form(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)

    assert (await client.post("/log-out")).status_code == 403
    assert (await client.get("/log-out")).status_code == 405
    assert (await client.get("/o/ada-lovelace")).status_code == 200


async def test_pages_of_a_person_are_stored_nowhere(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)

    for path in ("/o/ada-lovelace", "/o/ada-lovelace/members", "/o/ada-lovelace/settings", "/o", "/o/nowhere"):
        assert (await client.get(path)).headers["cache-control"] == "no-store", path


@pytest.mark.requirement("SES-3")
@pytest.mark.parametrize(
    ("away", "is_live"),
    [
        (timedelta(days=13, hours=23), True),
        (timedelta(days=14, seconds=-5), True),
        (timedelta(days=14, seconds=5), False),
    ],
)
async def test_a_session_ends_when_nobody_uses_it(
    client: AsyncTestClient, db: AsyncSession, away: timedelta, is_live: bool
) -> None:
    await add_person(db)
    await log_in(client)

    with clock.travel(away):
        assert ((await client.get("/o/ada-lovelace")).status_code == 200) is is_live


@pytest.mark.requirement("SES-3")
async def test_a_session_in_use_ends_after_thirty_days_all_the_same(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    token = client.cookies[COOKIE]

    statuses = []
    for days in (10, 20, 29, 31):
        client.cookies.set(COOKIE, token, domain="slipway.test", path="/")
        with clock.travel(timedelta(days=days)):
            statuses.append((await client.get("/o/ada-lovelace")).status_code)
    assert statuses == [200, 200, 200, 303]


@pytest.mark.requirement("SES-3")
async def test_the_settings_say_how_long_sessions_last(
    settings: Settings, database: RolledBackDatabase, db: AsyncSession
) -> None:
    await add_person(db)
    days = {"idle": timedelta(days=3), "whole": timedelta(days=4), "remembered": timedelta(days=40)}
    for remember, last in (("", 4), ("true", 40)):
        async with visitor(settings, database, sessions=SessionLifetimes(**days)) as client:
            response = await log_in(client, remember=remember)
            token = client.cookies[COOKIE]
            assert ("Max-Age=3456000;" in response.headers["set-cookie"]) is bool(remember)
            for moment in (*range(2, last, 2), last):
                client.cookies.set(COOKIE, token, domain="slipway.test", path="/")
                with clock.travel(timedelta(days=moment, seconds=-5 if moment == last else 0)):
                    assert (await client.get("/o/ada-lovelace")).status_code == 200, moment
            with clock.travel(timedelta(days=last, seconds=5)):
                assert (await client.get("/o/ada-lovelace")).status_code == 303
    async with visitor(settings, database, sessions=SessionLifetimes(**days)) as client:
        await log_in(client, remember="true")
        with clock.travel(timedelta(days=3, seconds=5)):
            assert (await client.get("/o/ada-lovelace")).status_code == 303


async def test_a_session_is_marked_as_seen_once_a_minute(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    await add_person(db)
    await log_in(client)

    counts = []
    for seconds in (1, 2, 61, 62):
        with clock.travel(timedelta(seconds=seconds)), statements() as executed:
            await client.get("/o/ada-lovelace")
        counts.append(sum(statement.startswith("UPDATE sessions") for statement in executed))
    assert counts == [0, 0, 1, 0]


async def test_a_cookie_without_the_form_of_a_token_costs_no_statement(
    client: AsyncTestClient, statements: Statements
) -> None:
    client.cookies.set(COOKIE, "x' OR 1=1 --", domain="slipway.test", path="/")
    with statements() as executed:
        assert (await client.get("/o/ada-lovelace")).status_code == 303
    assert executed == []


@pytest.mark.requirement("THR-1", "THR-2", "THR-5")
async def test_a_stranger_cannot_guess_on_and_the_owner_still_gets_in(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    await add_person(db)
    statuses = [(await log_in(client, password=NEW_PASSWORD)).status_code for _ in range(15)]
    assert statuses == [422] * 10 + [429] * 5
    refused = await log_in(client)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0

    async with AsyncTestClient(
        app, base_url=settings.base_url, follow_redirects=False, client=("192.0.2.7", 1)
    ) as home:
        assert (await log_in(home)).status_code == 303


@pytest.mark.requirement("THR-1")
async def test_one_network_cannot_try_many_addresses(client: AsyncTestClient) -> None:
    statuses = [(await log_in(client, email=f"user{number}@example.com")).status_code for number in range(62)]

    assert statuses == [422] * 60 + [429] * 2


@pytest.mark.requirement("SES-6")
async def test_parallel_requests_cannot_bring_a_logged_out_session_back(
    settings: Settings, fresh_database: Database
) -> None:
    app = create_app(settings, database=fresh_database)
    async with fresh_database.transaction() as db:
        await add_person(db)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        await log_in(client)
        token = client.cookies[COOKIE]
        form = {"csrf_token": await csrf_token(client)}
        cookie = {"cookie": f"{COOKIE}={token}"}
        with clock.travel(timedelta(minutes=5)):
            async with anyio.create_task_group() as group:
                for number in range(20):
                    group.start_soon(_visit, app, settings, cookie)
                    if number == 10:
                        group.start_soon(_log_out, app, settings, cookie, form)
    async with fresh_database.transaction() as db:
        assert await db.scalar(select(func.count()).where(Session.revoked_at.is_(None))) == 0


async def _visit(app: Starlette, settings: Settings, cookie: dict[str, str]) -> None:
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        assert (await client.get("/o/ada-lovelace", headers=cookie)).status_code in (200, 303)


async def _log_out(app: Starlette, settings: Settings, cookie: dict[str, str], form: dict[str, str]) -> None:
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        assert (await client.post("/log-out", headers=cookie, data=form)).status_code == 303
