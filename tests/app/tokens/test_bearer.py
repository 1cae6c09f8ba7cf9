"""Programs with a token: what they may do, what not, and that nothing else counts beside it."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, features
from app.audit.models import AuditEvent
from app.audit.queries import list_events_of_user
from app.config import Settings
from app.database import system_scope
from app.main import TOKEN_LIMIT, middleware
from app.policy import Guard
from app.tokens.bearer import client_of
from app.tokens.models import PersonalToken
from app.tokens.scopes import all_scopes, covers
from app.tokens.spelling import new_secret
from core.applications import Starlette
from core.middleware import Middleware
from core.middleware.ratelimit import RateLimitMiddleware
from core.params import dependencies_of
from core.responses import PlainTextResponse
from core.routing import BaseRoute, Route
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, organization_of
from tests.app.tokens.making import add_token, bearer

Statements = Callable[[], AbstractContextManager[list[str]]]
ORGANIZATION = "/api/v1/organizations/ada-lovelace"


@pytest.mark.requirement("API-1")
async def test_a_token_costs_one_statement_and_notes_its_use_once_a_minute(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, statements: Statements
) -> None:
    token, secret = await add_token(db, settings, await add_person(db))
    await client.get("/api/v1/me", headers=bearer(secret))
    await db.refresh(token)
    assert token.last_used_at is not None
    assert token.last_used_ip

    with statements() as executed:
        answer = await client.get("/api/v1/me", headers=bearer(secret))
    assert answer.json()["email"] == "ada@example.com"
    assert len(executed) == 1, "\n".join(executed)
    with clock.travel(timedelta(minutes=2)), statements() as executed:
        await client.get("/api/v1/me", headers=bearer(secret))
    assert len(executed) == 2, "\n".join(executed)


@pytest.mark.requirement("API-1", "AUT-6")
@pytest.mark.parametrize("end", ["revoked", "expired", "person locked", "person deleted"])
async def test_a_token_is_dead_as_soon_as_it_or_its_person_is(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, end: str
) -> None:
    ada = await add_person(db)
    token, secret = await add_token(db, settings, ada)
    assert (await client.get("/api/v1/me", headers=bearer(secret))).status_code == 200
    if end == "revoked":
        token.revoked_at = clock.now()
    elif end == "expired":
        token.expires_at = clock.now()
    else:
        ada.status = end.partition(" ")[2]
    await db.flush()

    for path in ("/api/v1/me", "/graphql"):
        answer = await client.get(path, headers=bearer(secret))
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("made_up", ["", "x", "slipway_pat_", "slipway_pat_" + "0" * 49, "ä" * 61, "Bearer"])
async def test_what_is_no_token_is_refused_without_a_statement(
    client: AsyncTestClient, statements: Statements, made_up: str
) -> None:
    with statements() as executed:
        answer = await client.get("/api/v1/me", headers={b"authorization": f"Bearer {made_up}".encode()})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert executed == []


async def test_an_unknown_token_is_refused(client: AsyncTestClient) -> None:
    assert (await client.get("/api/v1/me", headers=bearer(new_secret()))).status_code == 401


async def test_a_program_without_a_token_is_told_what_to_send(client: AsyncTestClient) -> None:
    answer = await client.get("/api/v1/me")

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.requirement("CSR-3")
@pytest.mark.parametrize("path", ["/api/v1/me", ORGANIZATION, "/graphql", "/api/v1/me/tokens", "/api/v1/nowhere"])
async def test_a_token_and_a_session_at_once_are_refused(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, path: str
) -> None:
    _, secret = await add_token(db, settings, await add_person(db))
    await log_in(client)
    for method in ("GET", "POST", "PATCH", "DELETE"):
        answer = await client.request(method, path, headers=bearer(secret))
        assert answer.status_code == 400, method
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.requirement("CSR-3")
async def test_a_token_changes_things_without_the_proof_that_forms_need_and_other_sites_still_may_not(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    _, secret = await add_token(db, settings, await add_person(db))

    changed = await client.patch(ORGANIZATION, json={"name": "Engines"}, headers=bearer(secret))
    assert (changed.status_code, changed.json()["name"]) == (200, "Engines")
    elsewhere = {**bearer(secret), "origin": "https://elsewhere.test"}
    assert (await client.patch(ORGANIZATION, json={"name": "Theirs"}, headers=elsewhere)).status_code == 403


@pytest.mark.requirement("CSR-3")
async def test_other_cookies_are_ignored_beside_a_token(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    _, secret = await add_token(db, settings, await add_person(db))
    client.cookies.set("theme", "dark")

    assert (await client.get("/api/v1/me", headers=bearer(secret))).status_code == 200


@pytest.mark.requirement("API-1")
async def test_a_token_in_an_address_is_refused(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    _, secret = await add_token(db, settings, await add_person(db))

    for query in (f"access_token={secret}", f"token={secret}", "access_token=anything", f"limit={secret}"):
        answer = await client.get(f"/api/v1/organizations?{query}")
        assert answer.status_code == 400, query
        assert secret not in answer.text


async def test_two_headers_are_refused(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    _, secret = await add_token(db, settings, await add_person(db))
    headers = [("authorization", f"Bearer {secret}"), ("authorization", f"Bearer {new_secret()}")]

    assert (await client.get("/api/v1/me", headers=headers)).status_code == 400


@pytest.mark.requirement("API-1")
async def test_pages_know_no_tokens(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    _, secret = await add_token(db, settings, await add_person(db))

    for path in ("/o", "/o/ada-lovelace", "/account/tokens", "/account/tokens/new"):
        answer = await client.get(path, headers={**bearer(secret), "accept": "text/html"})
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/log-in")


@pytest.mark.requirement("API-1", "MFA-6")
async def test_a_token_makes_no_tokens_and_sees_none(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    token, secret = await add_token(db, settings, await add_person(db))

    assert (await client.get("/api/v1/me/tokens", headers=bearer(secret))).status_code == 401
    assert (await client.delete(f"/api/v1/me/tokens/{token.id}", headers=bearer(secret))).status_code == 401
    made = await client.post(
        "/account/tokens/new", data={"name": "x", "scopes": "account:read"}, headers=bearer(secret)
    )
    assert made.status_code in (303, 401)
    assert len((await db.scalars(select(PersonalToken))).all()) == 1


def routes_for_programs(routes: Sequence[BaseRoute]) -> list[tuple[Route, str, set[str]]]:
    """The routes of the API: method, and the scopes that its guards ask a token for."""
    found = []
    for route in routes:
        if isinstance(route, Route) and route.path.startswith("/api/v1/") and route.include_in_schema:
            guards = [each for each in dependencies_of(route.endpoint) if isinstance(each, Guard)]
            method = next(iter(set(route.methods or ()) - {"HEAD"}))
            found.append((route, method, {guard.scope for guard in guards if guard.scope}))
    return found


async def answer_of(client: AsyncTestClient, route: Route, method: str, secret: str) -> int:
    path = re.sub(r"\{\w+:uuid\}", "01900000-0000-7000-8000-000000000000", route.path.replace("{slug}", "ada-lovelace"))
    answer = await client.request(method, re.sub(r"\{\w+\}", "x", path), headers=bearer(secret))
    if answer.status_code == 403:
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"], route.path
    return answer.status_code


@pytest.mark.requirement("API-1", "MFA-1")
@pytest.mark.parametrize("scope", [*all_scopes(), "unknown:write"])
async def test_every_scope_opens_its_own_routes_and_no_other(
    client: AsyncTestClient, app: Starlette, db: AsyncSession, settings: Settings, scope: str
) -> None:
    _, secret = await add_token(db, settings, await add_person(db), scopes=[scope])

    for route, method, needed in routes_for_programs(app.routes):
        status = await answer_of(client, route, method, secret)
        if not needed:
            assert status in (401, 403), f"{route.path} has no scope, so only a session may use it"
        elif all(covers([scope], each) for each in needed):
            assert status not in (401, 403), route.path
        else:
            assert status == 403, route.path


def test_the_matrix_sees_the_routes_of_every_feature() -> None:
    found = routes_for_programs(features.routes(development=False))

    assert {"accounts.show_me", "organizations.list_members"} <= {route.name for route, _, needed in found if needed}
    assert {"tokens.list_own_tokens", "tokens.revoke_own_token"} <= {
        route.name for route, _, needed in found if not needed
    }


@pytest.mark.requirement("API-1")
async def test_graphql_goes_by_the_same_scopes(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    ada = await add_person(db)
    _, everything = await add_token(db, settings, ada)
    _, members = await add_token(db, settings, ada, scopes=["members:read", "organization:read"])
    query = """{ me { name } organization(slug: "ada-lovelace") { name members { name } auditEvents { action } } }"""

    whole = (await client.post("/graphql", json={"query": query}, headers=bearer(everything))).json()
    assert "errors" not in whole
    assert whole["data"]["me"]["name"] == "Ada Lovelace"
    part = await client.post("/graphql", json={"query": query.replace("me { name }", "", 1)}, headers=bearer(members))
    assert part.json()["data"]["organization"]["members"] == [{"name": "Ada Lovelace"}]
    assert part.json()["data"]["organization"]["auditEvents"] is None
    assert "scopes" in part.json()["errors"][0]["message"]
    denied = (await client.post("/graphql", json={"query": "{ me { name } }"}, headers=bearer(members))).json()
    assert denied["data"] is None


@pytest.mark.requirement("API-1", "AUT-7")
async def test_the_audit_trail_tells_the_token_and_for_whom_it_acted(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    ada = await add_person(db)
    token, secret = await add_token(db, settings, ada, name="CI")
    await client.patch(ORGANIZATION, json={"name": "Engines"}, headers=bearer(secret))

    async with system_scope(db):
        event = (await db.scalars(select(AuditEvent).where(AuditEvent.action == "organizations.renamed"))).one()
        assert (event.actor_type, event.actor_id, event.on_behalf_of) == ("token", token.id, ada.id)
        assert event.actor_label == "Ada Lovelace (CI)"
        assert "organizations.renamed" in {each.action for each in await list_events_of_user(db, user_id=ada.id)}
        assert (await organization_of(db, ada)).name == "Engines"


async def test_a_token_does_not_lend_a_role(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    await add_person(db)
    _, secret = await add_token(db, settings, await add_person(db, "Grace Hopper", "grace@example.com"))

    assert (await client.get(ORGANIZATION, headers=bearer(secret))).status_code == 404


@pytest.mark.requirement("API-1")
async def test_each_token_has_a_limit_of_its_own(settings: Settings) -> None:
    assert [each.kwargs["limits"] for each in middleware(settings) if each.kwargs.get("client")] == [[TOKEN_LIMIT]]
    still = Middleware(RateLimitMiddleware, limits=[TOKEN_LIMIT], client=client_of, clock=lambda: 0.0)
    limited = Starlette(routes=[Route("/api/v1/me", PlainTextResponse("answer"))], middleware=[still])
    first, second = bearer(new_secret()), bearer(new_secret())
    async with AsyncTestClient(limited) as client:
        statuses = {(await client.get("/api/v1/me", headers=first)).status_code for _ in range(TOKEN_LIMIT.allowed)}

        assert statuses == {200}
        assert (await client.get("/api/v1/me", headers=first)).status_code == 429
        assert (await client.get("/api/v1/me", headers=second)).status_code == 200
        assert (await client.get("/api/v1/me")).status_code == 200


async def test_scripts_of_the_persons_own_pages_list_and_revoke(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, statements: Statements
) -> None:
    token, secret = await add_token(db, settings, await add_person(db))
    await log_in(client)
    with statements() as executed:
        [listed] = (await client.get("/api/v1/me/tokens")).json()
    assert len(executed) <= 2, "\n".join(executed)
    assert set(listed) == {
        "id",
        "name",
        "ending",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_at",
        "last_used_ip",
    }
    headers = {"x-csrf-token": await csrf_token(client)}
    assert (await client.delete(f"/api/v1/me/tokens/{token.id}", headers=headers)).status_code == 204
    assert (await client.get("/api/v1/me/tokens")).json() == []
    client.cookies.clear()
    assert (await client.get("/api/v1/me", headers=bearer(secret))).status_code == 401
