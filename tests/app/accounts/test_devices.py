"""Browsers that are known: told apart from new ones, given a budget of their own, and trusted for a while."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts import devices
from app.accounts.challenges import begin_challenge, find_challenge
from app.accounts.entering import finish_challenge
from app.accounts.jobs import forget_devices
from app.accounts.models import KnownDevice, LoginChallenge, Session, User
from app.accounts.pending import pending_challenge
from app.accounts.whereabouts import device_name, place_name
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import Db, system_scope
from app.jobs.registry import JobContext
from app.policy import public
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
    newest_message,
    templates_sent,
)
from tests.databases import RolledBackDatabase

Statements = Callable[[], AbstractContextManager[list[str]]]
SESSION, DEVICE = "__Host-session", "__Host-device"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def second_proof(request: Request, db: Db) -> Response:
    """What the page of second factors does when one is right."""
    challenge = await find_challenge(db, pending_challenge(request))
    trust = "trust" in request.query_params
    answer = await finish_challenge(request, db, challenge, method="totp", trust_device=trust) if challenge else None
    return answer or PlainTextResponse("no", 403)


@pytest.fixture
async def ada(db: AsyncSession) -> User:
    return await add_person(db)


@pytest.fixture
async def careful(app: Starlette, db: AsyncSession, ada: User) -> User:
    """Somebody with a second factor, in an application with a page that takes any as right."""
    app.routes.append(public(Route("/second-proof", second_proof, methods=["POST"], name="tests.second_proof")))
    await db.execute(update(User).where(User.id == ada.id).values(second_factor_at=clock.now()))
    return ada


@pytest.fixture
async def elsewhere(app: Starlette, settings: Settings) -> AsyncIterator[AsyncTestClient]:
    """Another browser, in another network."""
    async with AsyncTestClient(
        app,
        base_url=settings.base_url,
        follow_redirects=False,
        client=("203.0.113.9", 1),
        headers={"user-agent": FIREFOX},
    ) as other:
        yield other


async def is_asked_for_second_factor(client: AsyncTestClient, **fields: str) -> bool:
    client.cookies.delete(SESSION) if SESSION in client.cookies else None
    response = await log_in(client, **fields)
    assert response.status_code == 303
    return response.headers["location"] == "/log-in/two-factor"


@pytest.mark.requirement("AUT-7")
async def test_a_new_device_is_told_to_its_owner_but_not_the_very_first(
    client: AsyncTestClient, elsewhere: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await log_in(client)
    assert await templates_sent(db) == []
    await log_in(elsewhere)
    message = await newest_message(db)

    assert message.template == "accounts/new_device"
    for text in ("Firefox on Linux", "203.0.113.9", "https://slipway.test/account/sessions", "Ada Lovelace"):
        assert text in message.text
    async with system_scope(db):
        assert await db.scalar(select(func.count()).where(AuditEvent.action == "accounts.new_device")) == 1


async def test_a_device_that_comes_back_is_not_told_again(
    client: AsyncTestClient, elsewhere: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    for browser in (client, elsewhere, client, elsewhere):
        browser.cookies.delete(SESSION) if SESSION in browser.cookies else None
        await log_in(browser)

    assert len(await templates_sent(db)) == 1
    assert await db.scalar(select(func.count()).select_from(KnownDevice)) == 2


@pytest.mark.requirement("CKE-1", "SES-1")
async def test_the_database_keeps_a_keyed_hash_of_the_cookie(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, ada: User
) -> None:
    await log_in(client)
    token = client.cookies[DEVICE]
    row = (await db.execute(select(KnownDevice.__table__))).mappings().one()

    assert row["token_hash"] == devices.hash_device(token, settings)
    assert all(token not in str(value) for value in row.values())
    assert token not in repr((await db.scalars(select(KnownDevice))).one())


@pytest.mark.requirement("CKE-1")
async def test_a_session_is_no_device_and_a_device_is_no_session(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, ada: User
) -> None:
    await log_in(client)
    session, device = client.cookies[SESSION], client.cookies[DEVICE]
    client.cookies.set(SESSION, device, domain="slipway.test", path="/")
    assert (await client.get("/account/sessions")).status_code == 303

    hashes = (await db.scalars(select(Session.token_hash))).all()
    assert devices.hash_device(session, settings) not in hashes
    assert not await devices.is_known(db, "ada@example.com", devices.hash_device(session, settings))


@pytest.mark.requirement("THR-2")
async def test_the_owner_gets_in_while_a_stranger_hammers_from_the_same_network(
    client: AsyncTestClient, app: Starlette, settings: Settings, ada: User
) -> None:
    await log_in(client)
    client.cookies.delete(SESSION)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as stranger:
        statuses = [(await log_in(stranger, password=NEW_PASSWORD)).status_code for _ in range(12)]
        assert statuses[-1] == 429
        assert (await log_in(stranger)).status_code == 429

    assert (await log_in(client)).status_code == 303


@pytest.mark.requirement("THR-2")
async def test_a_known_device_has_a_limit_of_its_own(client: AsyncTestClient, ada: User) -> None:
    await log_in(client)
    client.cookies.delete(SESSION)
    statuses = [(await log_in(client, password=NEW_PASSWORD)).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]


@pytest.mark.requirement("THR-2")
async def test_a_device_of_one_account_has_no_budget_for_another(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    await add_person(db, "Mallory", "mallory@example.com")
    await log_in(client, "mallory@example.com")
    client.cookies.delete(SESSION)
    statuses = [(await log_in(client, password=NEW_PASSWORD)).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]


@pytest.mark.requirement("AUT-2")
async def test_a_device_cookie_makes_known_and_unknown_addresses_cost_the_same(
    client: AsyncTestClient, statements: Statements, ada: User
) -> None:
    await log_in(client)
    client.cookies.delete(SESSION)
    counts = []
    for email in ("ada@example.com", "nobody@example.com"):
        with statements() as executed:
            await log_in(client, email, NEW_PASSWORD)
        counts.append(len(executed))
    assert counts[0] == counts[1]


@pytest.mark.requirement("MFA-1", "MFA-6")
async def test_a_first_proof_alone_opens_nothing(client: AsyncTestClient, careful: User) -> None:
    assert await is_asked_for_second_factor(client)

    assert SESSION not in client.cookies
    assert DEVICE not in client.cookies
    assert (await client.get("/account/sessions")).status_code == 303


@pytest.mark.requirement("MFA-7")
async def test_a_trusted_device_stands_for_the_second_factor_for_thirty_days(
    client: AsyncTestClient, elsewhere: AsyncTestClient, db: AsyncSession, careful: User
) -> None:
    assert await is_asked_for_second_factor(client)
    assert (await client.post("/second-proof?trust=1")).status_code == 303

    assert not await is_asked_for_second_factor(client)
    newest = select(Session.authentication_methods).order_by(Session.id.desc()).limit(1)
    assert await db.scalar(newest) == ["password", "trusted_device"]
    assert await is_asked_for_second_factor(elsewhere)
    with clock.travel(timedelta(days=30) - timedelta(minutes=1)):
        assert not await is_asked_for_second_factor(client)
    with clock.travel(timedelta(days=30) + timedelta(minutes=1)):
        assert await is_asked_for_second_factor(client)


@pytest.mark.requirement("MFA-7")
async def test_a_device_is_trusted_only_when_that_is_asked_for_and_only_for_its_owner(
    client: AsyncTestClient, db: AsyncSession, careful: User
) -> None:
    await is_asked_for_second_factor(client)
    await client.post("/second-proof")
    assert await is_asked_for_second_factor(client)
    await client.post("/second-proof?trust=1")
    assert not await is_asked_for_second_factor(client)

    other = await add_person(db, "Grace", "grace@example.com")
    await db.execute(update(User).where(User.id == other.id).values(second_factor_at=clock.now()))
    assert await is_asked_for_second_factor(client, email="grace@example.com")


@pytest.mark.requirement("MFA-7")
async def test_trust_begins_with_a_new_cookie_and_a_copy_of_the_old_one_is_worth_nothing(
    client: AsyncTestClient, elsewhere: AsyncTestClient, db: AsyncSession, careful: User
) -> None:
    await is_asked_for_second_factor(client)
    await client.post("/second-proof")
    planted = client.cookies[DEVICE]
    await is_asked_for_second_factor(client)
    await client.post("/second-proof?trust=1")

    assert client.cookies[DEVICE] != planted
    assert await db.scalar(select(func.count()).select_from(KnownDevice)) == 1
    assert await templates_sent(db) == []
    elsewhere.cookies.set(DEVICE, planted, domain="slipway.test", path="/")
    assert await is_asked_for_second_factor(elsewhere)


@pytest.mark.requirement("MFA-7", "PWD-5")
async def test_trust_dies_with_the_password(client: AsyncTestClient, careful: User) -> None:
    await is_asked_for_second_factor(client)
    await client.post("/second-proof?trust=1")
    form = {"current_password": PASSWORD, "password": NEW_PASSWORD, "csrf_token": await csrf_token(client)}
    assert (await client.post("/account/password", data=form)).status_code == 303

    assert await is_asked_for_second_factor(client, password=NEW_PASSWORD)


@pytest.mark.requirement("SES-2")
async def test_a_second_proof_works_once_and_starts_a_session_of_its_own(
    client: AsyncTestClient, careful: User
) -> None:
    await is_asked_for_second_factor(client)
    state = client.cookies["__Host-state"]
    assert (await client.post("/second-proof")).status_code == 303
    client.cookies.clear()
    client.cookies.set("__Host-state", state, domain="slipway.test", path="/")

    assert (await client.post("/second-proof")).status_code == 403


async def test_what_is_over_is_forgotten_but_never_the_device_that_was_used_last(
    client: AsyncTestClient,
    elsewhere: AsyncTestClient,
    db: AsyncSession,
    database: RolledBackDatabase,
    settings: Settings,
    ada: User,
) -> None:
    await log_in(client)
    await log_in(elsewhere)
    await begin_challenge(db, ada, method="password", next_path="", is_remembered=True)
    job = JobContext(settings=settings, database=database)

    counts = []
    for days in (0, 399, 401):
        with clock.travel(timedelta(days=days)):
            await forget_devices(job)
        tables = (KnownDevice, LoginChallenge)
        counts.append([await db.scalar(select(func.count()).select_from(table)) for table in tables])
    assert counts == [[2, 1], [2, 0], [1, 0]]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) CriOS/140.0 Mobile Safari/604.1", "Chrome on iPad"),
        ("curl/8.5.0", "curl"),
        ("something else", "Unknown device"),
        (None, "Unknown device"),
    ],
)
def test_a_device_has_a_name_that_its_owner_recognizes(user_agent: str | None, name: str) -> None:
    assert device_name(user_agent) == name


@pytest.mark.parametrize(
    ("ip", "name"),
    [
        ("127.0.0.1", "This machine"),
        ("::1", "This machine"),
        ("192.168.7.1", "Private network, 192.168.7.1"),
        ("172.20.1.2", "Private network, 172.20.1.2"),
        ("fd00::1", "Private network, fd00::/64"),
        ("203.0.113.9", "203.0.113.9"),
        ("2a01:4f8:c2c:123::7", "2a01:4f8:c2c:123::/64"),
        ("nonsense", "Unknown place"),
        (None, "Unknown place"),
    ],
)
def test_a_place_is_as_much_as_the_address_tells(ip: str | None, name: str) -> None:
    assert place_name(ip) == name
