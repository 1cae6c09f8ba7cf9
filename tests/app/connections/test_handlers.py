"""Logging in with an account elsewhere, signing up with one, connecting one, and every way in which that may go wrong."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, Password, User
from app.accounts.sessions import hash_token
from app.audit.models import AuditEvent
from app.config import Settings
from app.config_providers import LogInProvider
from app.connections.models import Identity, OauthState
from app.connections.states import LIFETIME, code_challenge
from app.database import system_scope
from app.main import create_app
from core.testclient import AsyncTestClient
from tests.app.accounts.people import PASSWORD, add_person, csrf_token, log_in, sign_up
from tests.app.connections.local_server import consent, depart, refresh_of
from tests.databases import RolledBackDatabase


async def log_in_elsewhere(client: AsyncTestClient, *, next_path: str = "", **who: str) -> str:
    """The whole way to the provider and back; returns where it leads, or what the page says."""
    answer = await client.get(await consent(await depart(client, next=next_path), **who))
    if answer.is_redirect:
        return answer.headers["location"]
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found is not None
    return f"{answer.status_code} {found[1]}"


async def connect(client: AsyncTestClient, **who: str) -> str:
    """Connect an account elsewhere to the person who is logged in."""
    page = await client.post("/oauth/local/connect", data={"csrf_token": await csrf_token(client)})
    answer = await client.get(await consent(refresh_of(page), **who))
    return answer.headers.get("location", str(answer.status_code))


async def identities(db: AsyncSession) -> list[Identity]:
    return list((await db.scalars(select(Identity).order_by(Identity.id))).all())


async def is_logged_in(client: AsyncTestClient) -> bool:
    return (await client.get("/api/v1/me")).status_code == 200


async def test_the_button_leads_to_the_provider_with_everything_that_the_standard_asks_for(
    client: AsyncTestClient, db: AsyncSession, local: LogInProvider
) -> None:
    assert 'action="/oauth/local/start"' in (await client.get("/log-in")).text
    assert 'action="/oauth/local/start"' in (await client.get("/sign-up")).text
    address = await depart(client)

    asked = dict(parse_qsl(urlsplit(address).query))
    assert address.startswith(f"{local.issuer}/authorize?")
    assert asked["redirect_uri"] == "https://slipway.test/oauth/local/callback"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    state = (await db.scalars(select(OauthState))).one()
    assert asked["nonce"] == state.nonce
    assert asked["code_challenge"] == code_challenge(state.code_verifier)
    assert state.state_hash == hash_token(asked["state"])
    assert len(asked["state"]) >= 43


@pytest.mark.requirement("OAU-2", "AUT-7")
async def test_a_stranger_signs_up_and_logs_in_again_by_the_same_account(
    client: AsyncTestClient, other_client: AsyncTestClient, db: AsyncSession, local: LogInProvider
) -> None:
    assert await log_in_elsewhere(client) == "/o"
    assert (await client.get("/o")).headers["location"] == "/o/ada-lovelace"
    assert (await client.get("/api/v1/me")).json()["email"] == "ada@example.com"
    [identity] = await identities(db)
    assert (identity.issuer, identity.provider) == (local.issuer, "local")

    # The address there is another one by now; the account is the same.
    assert await log_in_elsewhere(other_client, email="countess@example.com", subject=identity.subject) == "/o"
    assert (await other_client.get("/api/v1/me")).json()["email"] == "ada@example.com"
    await db.refresh(identity)
    assert identity.email == "countess@example.com"
    async with system_scope(db):
        events = (await db.scalars(select(AuditEvent).order_by(AuditEvent.id))).all()
    assert [each.action for each in events if each.action.startswith("accounts.")] == [
        "accounts.signed_up",
        "accounts.logged_in",
        "accounts.logged_in",
        "accounts.new_device",
    ]
    assert (await db.scalars(select(User.terms_version))).one() is not None


async def test_the_way_leads_back_to_the_page_that_was_asked_for(client: AsyncTestClient) -> None:
    assert await log_in_elsewhere(client, next_path="/account/tokens") == "/account/tokens"


@pytest.mark.requirement("RED-1")
async def test_but_never_to_another_site(client: AsyncTestClient) -> None:
    assert await log_in_elsewhere(client, next_path="//elsewhere.test/") == "/o"


@pytest.mark.requirement("OAU-1")
async def test_a_state_works_in_the_browser_that_it_was_made_for_only(
    client: AsyncTestClient, other_client: AsyncTestClient
) -> None:
    """Somebody sends their own callback to a victim, who would be logged in as the attacker."""
    theirs = await consent(await depart(other_client), email="mallory@example.com")
    await depart(client)

    answer = await client.get(theirs)
    assert answer.status_code == 400
    assert "took too long" in answer.text
    assert not await is_logged_in(client)


@pytest.mark.requirement("OAU-1")
async def test_a_swapped_state_is_refused(client: AsyncTestClient) -> None:
    first, second = await consent(await depart(client)), await consent(await depart(client))
    swapped = dict(parse_qsl(urlsplit(first).query)) | {"state": parse_qs(urlsplit(second).query)["state"][0]}

    # The code was given for another code verifier (RFC 7636), so the provider does not take it.
    answer = await client.get(f"/oauth/local/callback?{urlencode(swapped)}")
    assert answer.status_code == 400
    assert not await is_logged_in(client)


@pytest.mark.requirement("OAU-1")
@pytest.mark.parametrize("state", ["", "made-up", "x" * 5000, "ä"])
async def test_a_made_up_state_is_refused(client: AsyncTestClient, state: str) -> None:
    await depart(client)

    assert (await client.get("/oauth/local/callback", params={"code": "x", "state": state})).status_code == 400


@pytest.mark.requirement("OAU-1")
async def test_a_way_back_can_be_gone_once(client: AsyncTestClient, other_client: AsyncTestClient) -> None:
    back = await consent(await depart(client))
    assert (await client.get(back)).status_code == 303
    client.cookies.delete("__Host-session")

    assert (await client.get(back)).status_code == 400
    assert not await is_logged_in(client)


@pytest.mark.requirement("OAU-1")
async def test_a_replayed_code_is_refused_by_the_provider(client: AsyncTestClient) -> None:
    first = dict(parse_qsl(urlsplit(await consent(await depart(client))).query))
    assert (await client.get(f"/oauth/local/callback?{urlencode(first)}")).status_code == 303
    client.cookies.delete("__Host-session")
    again = dict(parse_qsl(urlsplit(await depart(client)).query))

    answer = await client.get(f"/oauth/local/callback?{urlencode({**first, 'state': again['state']})}")
    assert answer.status_code == 400
    assert "did not work" in answer.text


@pytest.mark.requirement("OAU-1")
async def test_a_way_back_is_open_for_ten_minutes(client: AsyncTestClient) -> None:
    back = await consent(await depart(client))
    with clock.travel(LIFETIME + timedelta(seconds=1)):
        assert (await client.get(back)).status_code == 400


@pytest.mark.requirement("OAU-1")
async def test_an_answer_of_one_provider_is_not_taken_to_another(
    settings: Settings, database: RolledBackDatabase, local: LogInProvider
) -> None:
    """The mix-up attack (RFC 9207): a state belongs to one provider, and so does the address that people come back to."""
    other = replace(local, key="openid", name="Other")
    app = create_app(replace(settings, log_in_providers=(local, other)), database=database)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        back = await consent(await depart(client))
        answer = await client.get(back.replace("/oauth/local/", "/oauth/openid/"))
        assert answer.status_code == 400
        assert (await client.get(back)).status_code == 400, "the state is used up"


@pytest.mark.requirement("OAU-1")
@pytest.mark.parametrize("issuer", ["https://elsewhere.test", "", None])
async def test_an_answer_in_the_name_of_another_issuer_is_refused(client: AsyncTestClient, issuer: str | None) -> None:
    query = dict(parse_qsl(urlsplit(await consent(await depart(client))).query))
    del query["iss"]
    changed = query if issuer is None else {**query, "iss": issuer}

    assert (await client.get(f"/oauth/local/callback?{urlencode(changed)}")).status_code == 400
    assert not await is_logged_in(client)


@pytest.mark.requirement("CSR-2")
async def test_only_our_own_pages_send_people_to_a_provider(client: AsyncTestClient) -> None:
    assert (await client.get("/oauth/local/start")).status_code == 405
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert (await client.post("/oauth/local/start", headers=elsewhere)).status_code == 403


async def test_a_provider_that_is_not_switched_on_is_not_there(client: AsyncTestClient) -> None:
    for path in ("/oauth/google/callback?code=x&state=y", "/oauth/google/connect"):
        assert (await client.get(path)).status_code in (303, 404)
    assert (await client.post("/oauth/google/start")).status_code == 404


async def test_somebody_who_declines_is_told_how_to_go_on(client: AsyncTestClient) -> None:
    assert await log_in_elsewhere(client, decline="yes") == "400 You did not log in"


@pytest.mark.requirement("OAU-2")
async def test_the_same_address_with_another_subject_is_another_account(
    client: AsyncTestClient, other_client: AsyncTestClient, db: AsyncSession
) -> None:
    await log_in_elsewhere(client, subject="one")

    assert await log_in_elsewhere(other_client, subject="two") == "200 You already have an account"
    assert not await is_logged_in(other_client)
    assert len(await identities(db)) == 1


@pytest.mark.requirement("OAU-2")
async def test_the_same_subject_of_another_issuer_is_another_account(client: AsyncTestClient, db: AsyncSession) -> None:
    await log_in_elsewhere(client)
    client.cookies.clear()
    await db.execute(update(Identity).values(issuer="https://elsewhere.test"))

    assert await log_in_elsewhere(client) == "200 You already have an account"
    assert not await is_logged_in(client)


@pytest.mark.requirement("OAU-3")
async def test_a_known_address_is_connected_after_logging_in_as_before_and_not_sooner(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    address = await depart(client)
    page = await client.get(await consent(address))
    assert "You already have an account" in page.text
    assert "ada@example.com" not in page.text
    assert await identities(db) == []
    assert "/log-in?next=/oauth/local/connect" in page.text

    answer = await log_in(client, next="/oauth/local/connect")
    assert answer.headers["location"] == "/oauth/local/connect"
    assert "Connect Slipway ID" in (await client.get("/oauth/local/connect")).text
    assert await connect(client) == "/account/connections"
    client.cookies.clear()
    assert await log_in_elsewhere(client) == "/o"


@pytest.mark.requirement("OAU-3", "AUT-5")
async def test_pre_hijacking_by_a_password_that_somebody_else_chose(
    client: AsyncTestClient, other_client: AsyncTestClient, db: AsyncSession
) -> None:
    """Classic-federated merge: an attacker signs up with the victim's address; the victim comes by a provider later."""
    await sign_up(client)
    assert await log_in_elsewhere(other_client) == "/o"

    assert [user.name for user in await db.scalars(select(User))] == ["Ada Lovelace"]
    assert (await db.scalars(select(Password))).all() == []
    assert (await log_in(client, password=PASSWORD)).status_code == 422


@pytest.mark.requirement("OAU-3", "AUT-5")
async def test_pre_hijacking_by_a_link_that_was_mailed_before(
    client: AsyncTestClient, other_client: AsyncTestClient, db: AsyncSession
) -> None:
    """Unexpired session: nothing that was prepared with the address lives on, neither session nor link."""
    await sign_up(client)
    before = set(await db.scalars(text("SELECT id FROM one_time_tokens")))
    await log_in_elsewhere(other_client)

    assert before
    assert not before & set(await db.scalars(text("SELECT id FROM one_time_tokens")))
    assert not await is_logged_in(client)


@pytest.mark.requirement("OAU-3", "AUT-5")
async def test_pre_hijacking_by_an_account_that_is_connected_in_advance(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    """Trojan identifier: who has not proved an address has no session, and so connects nothing to it."""
    await sign_up(client)

    assert (await client.get("/oauth/local/connect")).headers["location"].startswith("/log-in")
    assert (await client.post("/oauth/local/connect")).status_code in (303, 401)
    assert (await db.scalars(select(OauthState))).all() == []


@pytest.mark.requirement("OAU-3", "AUT-5")
async def test_pre_hijacking_by_a_change_of_address_that_is_not_confirmed_yet(
    client: AsyncTestClient, other_client: AsyncTestClient, db: AsyncSession
) -> None:
    """Unexpired email change: the claim that somebody else added to their own account goes when the owner comes."""
    mallory = await add_person(db, "Mallory", "mallory@example.com")
    db.add(Email(user_id=mallory.id, address="ada@example.com"))
    await db.flush()

    assert await log_in_elsewhere(other_client) == "/o"
    claims = (await db.scalars(select(Email).where(Email.address == "ada@example.com"))).all()
    assert [claim.user_id == mallory.id for claim in claims] == [False]


@pytest.mark.requirement("OAU-3", "AUT-5")
async def test_pre_hijacking_by_a_provider_that_does_not_verify(client: AsyncTestClient, db: AsyncSession) -> None:
    """Non-verifying provider: an address that the provider does not vouch for makes no account and finds none."""
    assert await log_in_elsewhere(client, is_verified="") == "403 Your address is not confirmed there"
    await add_person(db)
    assert await log_in_elsewhere(client, is_verified="") == "403 Your address is not confirmed there"

    assert await identities(db) == []
    assert not await is_logged_in(client)


@pytest.mark.requirement("AUT-6")
async def test_a_disabled_person_is_not_let_in(client: AsyncTestClient, db: AsyncSession) -> None:
    await log_in_elsewhere(client)
    client.cookies.clear()
    await db.execute(update(User).values(status="locked"))

    assert await log_in_elsewhere(client) == "403 That did not work"
    assert not await is_logged_in(client)


@pytest.mark.requirement("MFA-6")
async def test_a_second_factor_is_asked_for_after_a_provider_too(client: AsyncTestClient, db: AsyncSession) -> None:
    await log_in_elsewhere(client)
    client.cookies.clear()
    await db.execute(update(User).values(second_factor_at=clock.now()))

    assert await log_in_elsewhere(client) == "/log-in/two-factor"
    assert not await is_logged_in(client)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sign_up": "closed"}, "403"),
        ({"sign_up": "invitation"}, "403"),
        ({"sign_up": "domains", "sign_up_domains": ("acme.test",)}, "403 No account for this address"),
        ({"sign_up": "domains", "sign_up_domains": ("example.com",)}, "/o"),
    ],
)
async def test_signing_up_with_a_provider_goes_by_the_mode(
    settings: Settings,
    database: RolledBackDatabase,
    db: AsyncSession,
    local: LogInProvider,
    changes: dict[str, str],
    said: str,
) -> None:
    changed = replace(settings, log_in_providers=(local,), **changes)  # type: ignore[arg-type] # Their types vary.
    app = create_app(changed, database=database)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        assert (await log_in_elsewhere(client)).startswith(said)

    assert bool(await identities(db)) is (said == "/o")


async def test_the_log_in_page_remembers_which_provider_it_was(client: AsyncTestClient) -> None:
    await log_in_elsewhere(client)
    client.cookies.delete("__Host-session")

    assert "Last used" in (await client.get("/log-in")).text
