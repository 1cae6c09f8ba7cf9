"""Founding teams, finding one's way between them, and moving them to another address."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.organizations.teams import add_member, add_team, events_of, submit, text_of

Statements = Callable[[], AbstractContextManager[list[str]]]


async def test_a_team_is_founded_by_name_and_address(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    assert (await client.get("/organizations/new")).status_code == 200

    created = await submit(client, "/organizations/new", name="Acme", slug="ACME")
    assert (created.status_code, created.headers["location"]) == (303, "/o/acme/members")
    page = await client.get("/o/acme")
    assert "Owner" in text_of(page)
    assert "Acme" in text_of(await client.get("/o/ada-lovelace")), "the switcher lists it on every page"


@pytest.mark.parametrize("slug", ["", "a", "-acme", "ac--me", "a b c", "admin", "x" * 41, "ácme"])
async def test_an_address_that_nobody_can_have_is_refused_beside_its_field(
    client: AsyncTestClient, db: AsyncSession, slug: str
) -> None:
    await add_person(db)
    await log_in(client)
    refused = await submit(client, "/organizations/new", name="Acme", slug=slug)

    assert refused.status_code == 422
    assert 'id="field-slug-error"' in refused.text
    assert 'value="Acme"' in refused.text


async def test_a_taken_or_former_address_is_refused_whoever_has_it(client: AsyncTestClient, db: AsyncSession) -> None:
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await add_team(db, grace)
    await log_in(client, "grace@example.com")
    await submit(client, "/o/acme/settings/address", slug="acme-ships")
    client.cookies.clear()
    await add_person(db)
    await log_in(client)

    for slug in ("acme", "acme-ships"):
        refused = await submit(client, "/organizations/new", name="Acme", slug=slug)
        assert refused.status_code == 422
        assert "This address is taken" in refused.text


async def test_the_check_says_whether_an_address_is_free_with_and_without_a_script(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await add_team(db, grace)
    await add_person(db)
    await log_in(client)

    for slug, is_free in (("acme", False), ("acme-2", True), ("admin", False), ("", False)):
        asked = await submit(client, "/organizations/slug", slug=slug)
        assert asked.json()["is_free"] is is_free, slug
        page = await submit(client, "/organizations/new/check", name="Acme", slug=slug)
        assert page.status_code == 200
        assert asked.json()["text"] in page.text
        assert 'value="Acme"' in page.text
    assert (await client.get("/o/acme-2")).status_code == 404, "asking founds nothing"


async def test_an_organization_moves_and_links_to_its_old_address_follow(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await log_in(client)
    assert "Old links lead to the new address" in (await client.get("/o/acme/settings/address")).text

    moved = await submit(client, "/o/acme/settings/address", slug="acme-ships")
    assert moved.headers["location"] == "/o/acme-ships/settings"
    assert (await client.get("/o/acme/members")).headers["location"] == "/o/acme-ships/members"
    (event,) = await events_of(db, acme, "organizations.moved")
    assert event.changes == {"slug": ["acme", "acme-ships"]}

    # Back again: the address that it had is still its own.
    assert (await submit(client, "/o/acme-ships/settings/address", slug="acme")).status_code == 303
    assert (await client.get("/o/acme")).status_code == 200
    assert (await client.get("/o/acme-ships")).headers["location"] == "/o/acme"


async def test_the_switcher_lists_the_organizations_of_the_person_by_one_statement(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    ada = await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await add_team(db, grace, name="Cobol", slug="cobol")
    for number in range(6):
        await add_team(db, ada, name=f"Team {number}", slug=f"team-{number}")
    await log_in(client)
    few = await client.get("/account/profile")
    assert "Team 5" in few.text
    assert "Search your organizations" not in few.text

    await add_team(db, ada, name="Team 6", slug="team-6")
    with statements() as executed:
        page = await client.get("/organizations/new")
    assert sum("memberships" in statement for statement in executed) == 1, "\n".join(executed)
    assert "Search your organizations" in page.text
    assert "Cobol" not in page.text
    with statements() as executed:
        await client.get("/api/v1/organizations/team-1", headers={"accept": "application/json"})
    assert len(executed) == 2, "programs have no switcher"


async def test_organizations_are_searched_by_name(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    await add_team(db, ada, name="100 % Ships", slug="ships")
    await add_team(db, ada, name="Lamps", slug="lamps")
    await log_in(client)

    found = (await client.get("/organizations", params={"search": "100 %"})).text.partition("<main")[2]
    assert "100 % Ships" in found
    assert "Lamps" not in found
    none = await client.get("/organizations", params={"search": "%_"})
    assert "No organization matches" in none.text


async def test_a_personal_organization_becomes_a_teams(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    refused = await submit(client, "/o/ada-lovelace/leave")
    assert refused.headers["location"] == "/o/ada-lovelace/members"
    assert "goes with its person" in (await client.get("/o/ada-lovelace/members")).text
    assert "personal organization" in (await client.get("/o/ada-lovelace/danger")).text

    await submit(client, "/o/ada-lovelace/settings/team")
    assert "New owner" in text_of(await client.get("/o/ada-lovelace/danger")) or "Nobody else" in text_of(
        await client.get("/o/ada-lovelace/danger")
    )


async def test_only_who_may_change_the_organization_moves_it(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper")
    await log_in(client, "grace@example.com")
    token = await csrf_token(client)

    for path in ("/o/acme/settings/address", "/o/acme/settings/team"):
        assert (await client.post(path, data={"slug": "other", "csrf_token": token})).status_code == 403
    assert (await client.get("/o/acme")).status_code == 200
