"""The organization's pages, and who sees them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import system_scope
from app.features import shell_parts
from app.organizations.models import FormerSlug, Membership, MembershipStatus, Organization
from app.policy import Role
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, organization_of

Statements = Callable[[], AbstractContextManager[list[str]]]
PAGES = ["/o/{slug}", "/o/{slug}/members", "/o/{slug}/settings"]


async def add_member(db: AsyncSession, organization: Organization, user: User, role: Role) -> None:
    async with system_scope(db):
        db.add(Membership(organization_id=organization.id, user_id=user.id, role=role))


async def test_the_dashboard_takes_three_statements_and_one_for_each_part_of_the_shell(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    await add_person(db)
    await log_in(client)
    with statements() as executed:
        page = await client.get("/o/ada-lovelace")

    assert page.status_code == 200
    assert len(executed) <= 3 + len(shell_parts()), "\n".join(executed)


async def test_the_dashboard_shows_first_steps_role_and_what_happened(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)
    page = (await client.get("/o/ada-lovelace")).text

    assert "2 of 3 done" in page
    assert "Name your organization" in page
    assert "Owner" in page
    assert "Ada Lovelace created the organization" in page
    assert page.count("<h1") == 1


async def test_first_steps_disappear_when_all_are_done(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    form = {"name": "Analytical <Engines>", "csrf_token": await csrf_token(client)}
    response = await client.post("/o/ada-lovelace/settings", data=form)

    assert (response.status_code, response.headers["location"]) == (303, "/o/ada-lovelace/settings")
    page = (await client.get("/o/ada-lovelace/settings")).text
    assert "The organization is now called Analytical &lt;Engines&gt;." in page
    page = (await client.get("/o/ada-lovelace")).text
    assert "First steps" not in page
    assert "Ada Lovelace renamed the organization to Analytical &lt;Engines&gt;" in page
    async with system_scope(db):
        event = (await db.scalars(select(AuditEvent).where(AuditEvent.action == "organizations.renamed"))).one()
        assert event.changes == {"name": ["Ada Lovelace", "Analytical <Engines>"]}


async def test_a_name_that_is_missing_or_too_long_is_refused_beside_the_field(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)
    for name in ("", " ", "x" * 101, "a\x00b"):
        form = {"name": name, "csrf_token": await csrf_token(client)}
        response = await client.post("/o/ada-lovelace/settings", data=form)
        assert response.status_code == 422
        assert 'aria-invalid="true"' in response.text


@pytest.mark.parametrize("field", ["slug", "kind", "status", "created_by", "id", "role", "is_staff"])
async def test_fields_that_the_form_does_not_have_change_nothing(
    client: AsyncTestClient, db: AsyncSession, field: str
) -> None:
    user = await add_person(db)
    await log_in(client)
    form = {"name": "New name", field: "admin", "csrf_token": await csrf_token(client)}
    await client.post("/o/ada-lovelace/settings", data=form)

    async with system_scope(db):
        organization = (await db.scalars(select(Organization).execution_options(populate_existing=True))).one()
        assert (organization.slug, organization.kind, organization.status) == ("ada-lovelace", "personal", "active")
        assert organization.created_by == user.id
    assert await db.scalar(select(User.is_staff)) is False


@pytest.mark.parametrize("path", PAGES)
async def test_other_peoples_organizations_look_like_missing_ones(
    client: AsyncTestClient, db: AsyncSession, path: str
) -> None:
    await add_person(db)
    await add_person(db, "Grace Hopper", "grace@example.com")
    await log_in(client)

    foreign = await client.get(path.format(slug="grace-hopper"))
    missing = await client.get(path.format(slug="grace-hopp3r"))
    assert foreign.status_code == missing.status_code == 404
    assert sorted(foreign.headers) == sorted(missing.headers)
    assert "Grace" not in foreign.text


async def test_nothing_is_written_to_other_peoples_organizations(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await log_in(client)
    form = {"name": "Taken over", "csrf_token": await csrf_token(client)}

    assert (await client.post("/o/grace-hopper/settings", data=form)).status_code == 404
    async with system_scope(db):
        assert (await organization_of(db, grace)).name == "Grace Hopper"


@pytest.mark.parametrize("path", [*PAGES, "/o"])
async def test_strangers_are_asked_to_log_in(client: AsyncTestClient, path: str) -> None:
    response = await client.get(path.format(slug="ada-lovelace"))

    assert response.status_code == 303
    assert response.headers["location"] == f"/log-in?next={path.format(slug='ada-lovelace')}"
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("role", "statuses"), [(Role.OWNER, [200, 200, 200]), (Role.ADMIN, [200, 200, 200]), (Role.MEMBER, [200, 200, 403])]
)
async def test_pages_go_by_the_policy(
    client: AsyncTestClient, db: AsyncSession, role: Role, statuses: list[int]
) -> None:
    ada = await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await add_member(db, await organization_of(db, ada), grace, role)
    await log_in(client, "grace@example.com")

    answers = [await client.get(path.format(slug="ada-lovelace")) for path in PAGES]
    assert [answer.status_code for answer in answers] == statuses
    assert ("Settings" in answers[0].text) is (statuses[2] == 200)
    assert ("Recent activity" in answers[0].text) is (role != Role.MEMBER)


async def test_members_are_listed_with_role_and_address(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await add_member(db, await organization_of(db, ada), grace, Role.MEMBER)
    await log_in(client)

    page = (await client.get("/o/ada-lovelace/members")).text
    assert "Grace Hopper" in page
    assert "grace@example.com" in page
    assert "2 people work in this organization." in page


@pytest.mark.requirement("ROL-1")
async def test_a_demoted_or_suspended_member_feels_it_at_once(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await add_member(db, await organization_of(db, ada), grace, Role.ADMIN)
    await log_in(client, "grace@example.com")
    assert (await client.get("/o/ada-lovelace/settings")).status_code == 200

    await change_membership(db, grace, role=Role.MEMBER)
    assert (await client.get("/o/ada-lovelace/settings")).status_code == 403
    await change_membership(db, grace, status=MembershipStatus.SUSPENDED)
    assert (await client.get("/o/ada-lovelace")).status_code == 404


async def change_membership(db: AsyncSession, user: User, **values: str) -> None:
    async with system_scope(db):
        elsewhere = Membership.organization_id != user.current_organization_id
        await db.execute(update(Membership).where(Membership.user_id == user.id, elsewhere).values(**values))


async def test_logging_in_leads_to_the_organization_that_was_open_last(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    ada = await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await add_member(db, await organization_of(db, ada), grace, Role.MEMBER)
    await log_in(client, "grace@example.com")
    assert (await client.get("/o")).headers["location"] == "/o/grace-hopper"
    await client.get("/o/ada-lovelace")
    client.cookies.clear()

    await log_in(client, "grace@example.com")
    assert (await client.get("/o")).headers["location"] == "/o/ada-lovelace"


async def test_the_start_page_offers_the_app_to_people_who_are_logged_in(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    assert "Go to app" not in (await client.get("/")).text
    await log_in(client)
    page = await client.get("/")
    assert "Go to app" in page.text
    assert 'href="/o"' in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_a_former_slug_leads_members_to_the_present_one_and_nobody_else(
    client: AsyncTestClient, app: Starlette, settings: Settings, db: AsyncSession
) -> None:
    ada = await add_person(db)
    await add_person(db, "Grace Hopper", "grace@example.com")
    async with system_scope(db):
        db.add(FormerSlug(slug="countess", organization_id=(await organization_of(db, ada)).id))
    await log_in(client)
    response = await client.get("/o/countess/members?page=2")
    assert (response.status_code, response.headers["location"]) == (308, "/o/ada-lovelace/members?page=2")

    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as other:
        await log_in(other, "grace@example.com")
        assert (await other.get("/o/countess/members")).status_code == 404


async def test_people_without_an_organization_make_their_own(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    async with system_scope(db):
        await db.delete(await organization_of(db, ada))
    await log_in(client)
    assert "You belong to no organization" in (await client.get("/o")).text

    response = await client.post("/o", data={"csrf_token": await csrf_token(client)})
    assert response.headers["location"] == "/o"
    assert (await client.get("/o")).headers["location"] == "/o/ada-lovelace"


async def test_the_address_of_an_organization_that_nobody_can_have_is_missing(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    await log_in(client)

    for slug in ("%00", "%ff", "..%2f..", "a" * 3000, "ADA%20LOVELACE", "%F0%9F%9A%A2"):
        assert (await client.get(f"/o/{slug}")).status_code in (400, 404), slug
