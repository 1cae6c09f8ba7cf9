"""What an organization chooses for everybody in it: its logo, and a language and a time zone for those who chose none."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from httpx2 import Response
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.audit.models import RequestFacts
from app.database import system_scope
from app.organizations.actions import create_personal_organization
from app.organizations.models import Logo, Organization
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, newest_message
from tests.app.organizations.teams import add_member, add_team, events_of, submit

SETTINGS = "/o/acme/settings"


@pytest.fixture
async def ada(db: AsyncSession) -> User:
    return await add_person(db)


@pytest.fixture
async def acme(client: AsyncTestClient, db: AsyncSession, ada: User) -> Organization:
    """A team of Ada's, who is logged in."""
    acme = await add_team(db, ada)
    await log_in(client)
    return acme


def picture(color: str = "navy") -> bytes:
    file = BytesIO()
    Image.new("RGB", (600, 400), color).save(file, "PNG")
    return file.getvalue()


async def upload(client: AsyncTestClient, content: bytes, **crop: str) -> Response:
    return await client.post(
        f"{SETTINGS}/logo",
        data={"csrf_token": await csrf_token(client), **crop},
        files={"picture": ("logo.png", content, "image/png")},
    )


async def logo_path(db: AsyncSession, organization: Organization) -> str:
    async with system_scope(db):
        await db.refresh(organization, ["logo_digest"])
    return f"/logos/{organization.id}-{organization.logo_digest}"


async def test_a_logo_stands_beside_the_name_wherever_the_organization_is_named(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    assert (await upload(client, picture(), crop_x="1", crop_zoom="2")).headers["location"] == SETTINGS
    path = await logo_path(db, acme)
    for page in ("/o/acme", SETTINGS, "/organizations", "/account/profile"):
        assert f'src="{path}"' in (await client.get(page)).text, page
    [event] = await events_of(db, acme, "organizations.logo_set")
    assert event.changes is None

    client.cookies.clear()
    shown = await client.get(path)
    assert shown.headers["content-type"] == "image/webp"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert Image.open(BytesIO(shown.content)).size == (256, 256)
    assert (await client.get(f"/logos/{acme.id}-{'0' * 32}")).status_code == 404


async def test_a_logo_is_taken_back_and_an_older_address_shows_nothing(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    await upload(client, picture())
    before = await logo_path(db, acme)
    await upload(client, picture("teal"))
    assert "The logo is saved." in (await client.get(SETTINGS)).text
    assert (await client.get(before)).status_code == 404

    await submit(client, f"{SETTINGS}/logo/remove")
    await submit(client, f"{SETTINGS}/logo/remove")
    page = await client.get(SETTINGS)
    assert "The logo is removed." in page.text
    assert "/logos/" not in page.text
    assert len(await events_of(db, acme, "organizations.logo_removed")) == 1
    async with system_scope(db):
        assert await db.scalar(select(func.count()).select_from(Logo)) == 0


async def test_what_is_no_picture_is_refused_and_so_is_a_form_of_another_site(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    await upload(client, b"<svg onload=alert(1)>")
    assert "Choose a PNG, JPEG, WebP or GIF picture" in (await client.get(SETTINGS)).text
    forged = await client.post(f"{SETTINGS}/logo", files={"picture": ("logo.png", picture(), "image/png")})
    assert forged.status_code == 403
    await add_member(db, acme, "Grace Hopper")
    client.cookies.clear()
    await log_in(client, "grace@example.com")
    assert (await upload(client, picture())).status_code == 403


async def test_an_invitation_shows_the_logo(client: AsyncTestClient, db: AsyncSession, acme: Organization) -> None:
    await upload(client, picture())
    await submit(client, "/o/acme/invitations/new", emails="grace@example.com", role="member")
    link = (await newest_message(db, "grace@example.com")).text.split("https://slipway.test")[1].split()[0]
    client.cookies.clear()
    assert f'src="{await logo_path(db, acme)}"' in (await client.get(link)).text


async def test_members_without_a_zone_of_their_own_see_the_times_of_the_organization(
    client: AsyncTestClient, db: AsyncSession, ada: User, acme: Organization
) -> None:
    [event] = await events_of(db, acme, "organizations.created")
    async with system_scope(db):
        acme.created_at = datetime(2026, 1, 5, tzinfo=UTC)
    here = event.created_at.strftime("%H:%M")
    assert here in (await client.get("/o/acme/audit")).text
    answer = await submit(client, f"{SETTINGS}/defaults", locale="de", time_zone="asia/kolkata")
    assert answer.headers["location"] == SETTINGS

    assert "+05:30" in (await client.get("/o/acme/audit/export")).text
    ada.time_zone = "America/New_York"
    await db.flush()
    assert "+05:30" not in (await client.get("/o/acme/audit/export")).text
    [event] = await events_of(db, acme, "organizations.defaults_changed")
    assert event.changes == {"locale": [None, "de"], "time_zone": [None, "Asia/Kolkata"]}
    await submit(client, f"{SETTINGS}/defaults", locale="de", time_zone="Asia/Kolkata")
    assert len(await events_of(db, acme, "organizations.defaults_changed")) == 1


async def test_messages_speak_the_organizations_language_to_whoever_has_chosen_none(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    grace = await add_member(db, acme, "Grace Hopper")
    mary = await add_member(db, acme, "Mary Somerville")
    mary.locale = "en"
    await db.flush()
    await submit(client, f"{SETTINGS}/defaults", locale="de", time_zone="")
    for person in (grace, mary):
        await submit(client, f"/o/acme/members/{person.id}/role", role="admin")
    await submit(client, "/o/acme/invitations/new", emails="new@example.com", role="member")

    spoken = {name: (await newest_message(db, f"{name}@example.com")).locale for name in ("grace", "mary", "new")}
    assert spoken == {"grace": "de", "mary": "en", "new": "de"}
    assert "Administrator" in (await newest_message(db, "grace@example.com")).text


async def test_a_zone_that_does_not_exist_is_refused_beside_its_field(
    client: AsyncTestClient, acme: Organization
) -> None:
    refused = await submit(client, f"{SETTINGS}/defaults", locale="de", time_zone="Mars/Olympus")
    assert refused.status_code == 422
    assert "field-time_zone-error" in refused.text
    assert 'value="Acme"' in refused.text


async def test_ones_own_personal_organization_offers_no_way_out_that_is_refused(
    client: AsyncTestClient, db: AsyncSession, acme: Organization
) -> None:
    await create_personal_organization(db, await db.get_one(User, acme.created_by), facts=RequestFacts())
    for slug, offered in (("acme", True), ("ada-lovelace", False)):
        page = await client.get(f"/o/{slug}/settings")
        assert page.status_code == 200
        assert (f"/o/{slug}/leave" in page.text) is offered
        assert (f"/o/{slug}/danger" in page.text) is offered


async def test_programs_change_a_part_and_leave_the_rest(client: AsyncTestClient, acme: Organization) -> None:
    path, headers = "/api/v1/organizations/acme", {"x-csrf-token": await csrf_token(client)}
    for changes in ({"time_zone": "Europe/Berlin"}, {"locale": "de"}, {"name": "Acme Ltd"}, {"locale": None}):
        assert (await client.patch(path, json=changes, headers=headers)).status_code == 200
    shown = (await client.get(path)).json()
    assert {name: shown[name] for name in ("name", "locale", "time_zone")} == {
        "name": "Acme Ltd",
        "locale": None,
        "time_zone": "Europe/Berlin",
    }
    assert (await client.patch(path, json={"time_zone": "Mars/Olympus"}, headers=headers)).status_code == 422
