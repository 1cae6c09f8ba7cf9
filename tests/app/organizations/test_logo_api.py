"""The logo of an organization, for programs."""

import asyncio

from httpx2 import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, name_organization
from app.main import create_app
from app.organizations.logos import set_logo
from app.organizations.models import Organization
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.files.test_jobs import scope_of
from tests.app.locks import lock_waits
from tests.app.organizations.teams import add_member, add_team, events_of
from tests.app.organizations.test_settings import picture

ORGANIZATION = "/api/v1/organizations/acme"
LOGO = f"{ORGANIZATION}/logo"


async def put(client: AsyncTestClient, content: bytes, *, name: str = "logo.png", **crop: str) -> Response:
    headers = {"x-csrf-token": await csrf_token(client)}
    return await client.put(LOGO, data=crop, files={"picture": (name, content, "image/png")}, headers=headers)


async def acme_of_ada(client: AsyncTestClient, db: AsyncSession) -> Organization:
    acme = await add_team(db, await add_person(db))
    await log_in(client)
    return acme


async def test_a_program_gives_a_logo_reads_where_it_is_and_takes_it_away(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    acme = await acme_of_ada(client, db)
    assert (await client.get(ORGANIZATION)).json()["logo_url"] is None
    given = await put(client, picture(), crop_x="1", crop_zoom="2")
    assert given.status_code == 200, given.text
    url = given.json()["logo_url"]
    assert url.startswith(f"https://slipway.test/logos/{acme.id}-")
    assert (await client.get(url)).headers["content-type"] == "image/webp"

    headers = {"x-csrf-token": await csrf_token(client)}
    query = {"query": '{organization(slug: "acme") {logoUrl} organizations {slug logoUrl}}'}
    answer = (await client.post("/graphql", json=query, headers=headers)).json()["data"]
    assert answer["organization"] == {"logoUrl": url}
    assert {"slug": "acme", "logoUrl": url} in answer["organizations"]
    assert url in [each["logo_url"] for each in (await client.get("/api/v1/organizations")).json()["items"]]

    assert [(await client.delete(LOGO, headers=headers)).status_code for _ in range(2)] == [204, 204]
    assert (await client.get(ORGANIZATION)).json()["logo_url"] is None
    assert (await client.get(url)).status_code == 404
    assert len(await events_of(db, acme, "organizations.logo_set")) == 1
    assert len(await events_of(db, acme, "organizations.logo_removed")) == 1


async def test_what_is_no_picture_or_no_part_of_one_is_refused(client: AsyncTestClient, db: AsyncSession) -> None:
    await acme_of_ada(client, db)
    no_picture = await put(client, b"<svg onload=alert(1)>")
    assert (no_picture.status_code, no_picture.headers["content-type"]) == (422, "application/problem+json")
    assert "Choose a PNG, JPEG, WebP or GIF picture" in no_picture.json()["detail"]
    outside = await put(client, picture(), crop_x="2")
    assert outside.status_code == 422
    assert outside.json()["errors"][0]["pointer"] == "#/crop_x"
    forged = await client.put(LOGO, files={"picture": ("logo.png", picture(), "image/png")})
    assert forged.status_code == 403
    assert (await client.get(ORGANIZATION)).json()["logo_url"] is None


async def test_a_member_who_may_not_change_the_organization_gives_it_no_logo(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    acme = await add_team(db, await add_person(db))
    await add_member(db, acme, "Grace Hopper", Role.MEMBER)
    await log_in(client, "grace@example.com")
    assert (await put(client, picture())).status_code == 403


async def test_of_two_who_give_a_logo_at_once_the_second_s_stays(fresh_database: Database, settings: Settings) -> None:
    async with fresh_database.transaction() as db:
        ada = await add_person(db)
        scope = await scope_of(db, ada)
    path = f"/api/v1/organizations/{scope.organization.slug}/logo"
    app = create_app(settings, database=fresh_database)
    async with AsyncTestClient(app, base_url=settings.base_url) as client:
        await log_in(client)
        headers, files = {"x-csrf-token": await csrf_token(client)}, {"picture": ("logo.png", picture(), "image/png")}
        async with asyncio.TaskGroup() as group, fresh_database.transaction() as db:
            scope = await scope_of(db, ada)
            await name_organization(db, scope.organization.id)
            await set_logo(db, scope, b"the first", facts=RequestFacts())
            await db.flush()
            second = group.create_task(client.put(path, files=files, headers=headers))
            await lock_waits(fresh_database, 1)
        assert second.result().status_code == 200
        assert (await client.get(second.result().json()["logo_url"])).headers["content-type"] == "image/webp"
