"""How a person appears and likes the product."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.actions import create_verified_user
from app.accounts.models import Consent, User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.audit.sentences import all_sentences
from app.features import FOLDER, shell_parts
from app.profile.activity import SENTENCES
from app.profile.models import Avatar
from app.terms import TERMS_VERSION
from app.time_zones import time_zones
from core.testclient import AsyncTestClient
from tests.app.accounts.people import PASSWORD, add_person, csrf_token, log_in, newest_message
from tests.app.test_images import bomb, picture

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
async def ada(client: AsyncTestClient, db: AsyncSession) -> User:
    user = await add_person(db)
    await log_in(client)
    return user


async def save(client: AsyncTestClient, **fields: str) -> Response:
    data = {"name": "Ada Lovelace", "theme": "system", **fields, "csrf_token": await csrf_token(client)}
    return await client.post("/account/profile", data=data)


async def upload(client: AsyncTestClient, content: bytes, name: str = "me.png", **fields: str) -> Response:
    data = {"csrf_token": await csrf_token(client), **fields}
    return await client.post("/account/profile/avatar", data=data, files={"picture": (name, content, "image/png")})


async def test_the_page_costs_one_statement(client: AsyncTestClient, ada: User, statements: Statements) -> None:
    with statements() as executed:
        page = await client.get("/account/profile")

    assert len(executed) == 1 + len(shell_parts()), "\n".join(executed)
    assert 'value="Ada Lovelace"' in page.text
    assert '<option value="Europe/Berlin">' in page.text


async def test_pages_are_in_the_persons_language_and_theme(client: AsyncTestClient, ada: User) -> None:
    await save(client, locale="de", theme="dark")
    page = await client.get("/account/profile", headers={"accept-language": "en"})

    assert '<html lang="de" data-theme="dark">' in page.text
    assert "Ihr Profil ist gespeichert." in page.text
    assert '<html lang="en"' in (await client.get("/log-out", headers={"accept-language": "en"})).text


async def test_the_switch_in_the_pages_decides_until_the_account_does(client: AsyncTestClient, ada: User) -> None:
    client.cookies.set("theme", "light")
    assert 'data-theme="light"' in (await client.get("/account/profile")).text
    await save(client, theme="dark")
    assert '<html lang="en" data-theme="dark">' in (await client.get("/account/profile")).text


async def test_times_are_those_of_the_persons_zone(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    def titles(text: str) -> set[str]:
        return {part.partition('"')[0] for part in text.split('title="')[1:] if "," in part.partition('"')[0]}

    before = titles((await client.get("/account/activity")).text)
    assert (await save(client, time_zone="pacific/kiritimati")).status_code == 303
    assert await db.scalar(select(User.time_zone)) == "Pacific/Kiritimati"
    after = titles((await client.get("/account/activity")).text)
    assert not before & after


@pytest.mark.parametrize(
    "fields",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"locale": "xx"},
        {"theme": "pink"},
        {"name": " "},
    ],
)
async def test_what_does_not_exist_is_refused_and_kept_on_the_page(
    client: AsyncTestClient, db: AsyncSession, ada: User, fields: dict[str, str]
) -> None:
    response = await save(client, **fields)
    assert (response.status_code, 'aria-invalid="true"' in response.text) == (422, True)


def test_zones_are_places_and_utc() -> None:
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= set(time_zones())
    assert not [name for name in time_zones() if name.startswith(("Etc/", "posix"))]


async def test_messages_are_in_the_receivers_language(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    await save(client, locale="de")
    await add_person(db, "Grace Hopper", "grace@example.com")
    client.cookies.clear()
    await log_in(client, "grace@example.com")
    data = {"email": "ada@example.com", "csrf_token": await csrf_token(client)}
    await client.post("/account/emails/add", data=data)

    message = await newest_message(db, "ada@example.com")
    assert (message.template, message.locale) == ("addresses/already_used", "de")
    assert "Guten Tag Ada" in message.text


@pytest.mark.requirement("UPL-2")
async def test_a_picture_is_cut_kept_shown_and_removed(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    response = await upload(client, picture(), crop_x="0", crop_y="0.5", crop_zoom="2")
    assert response.status_code == 303
    digest = await db.scalar(select(User.avatar_digest))
    path = f"/avatars/{ada.id}-{digest}"
    assert path in (await client.get("/account/profile")).text

    shown = await client.get(path)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in shown.headers["cache-control"]
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "set-cookie" not in shown.headers

    await client.post("/account/profile/avatar/remove", data={"csrf_token": await csrf_token(client)})
    assert (await client.get(path)).status_code == 404
    assert await db.scalar(select(Avatar.user_id)) is None


@pytest.mark.requirement("UPL-2", "UPL-3")
async def test_bombs_scripts_and_nothing_at_all_leave_the_picture_as_it_is(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    for content, name in ((bomb(9000, 9000), "me.png"), (b"<svg/>", "me.svg"), (b"", "me.png")):
        await upload(client, content, name)
        assert "Choose a PNG, JPEG, WebP or GIF picture" in (await client.get("/account/profile")).text
    assert await db.scalar(select(Avatar.user_id)) is None


@pytest.mark.requirement("UPL-1")
async def test_a_picture_of_more_than_eight_megabytes_is_not_read(client: AsyncTestClient, ada: User) -> None:
    assert (await upload(client, bytes(9 * 1024 * 1024))).status_code == 413


@pytest.mark.requirement("UPL-1", "CSR-1")
async def test_a_picture_of_two_megabytes_comes_in_an_ordinary_form_with_its_token(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    large = picture("JPEG") + bytes(2 * 1024 * 1024)
    assert (await upload(client, large, "me.jpg", csrf_token="wrong")).status_code == 403
    assert await db.scalar(select(User.avatar_digest)) is None
    assert (await upload(client, large, "me.jpg")).status_code == 303
    assert await db.scalar(select(User.avatar_digest)) is not None


async def test_the_log_says_what_happened_where_and_with_what(
    client: AsyncTestClient, db: AsyncSession, ada: User, statements: Statements
) -> None:
    await log_in(client, password="not the right password at all")
    with statements() as executed:
        page = await client.get("/account/activity")

    assert len(executed) == 2 + len(shell_parts()), "\n".join(executed)
    assert "You logged in" in page.text
    client.cookies.clear()
    await log_in(client, password="not the right password at all")
    await log_in(client)
    assert "Somebody tried to log in with a wrong password" in (await client.get("/account/activity")).text


@pytest.mark.requirement("TEN-2")
async def test_the_log_of_others_is_not_in_it_and_it_comes_in_pages(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    other = await create_verified_user(db, name="Grace", email="grace@example.com", password=PASSWORD)
    await record(db, "profile.updated", actor_id=other.id, actor_label="Grace", request=RequestFacts())
    for number in range(55):
        action = f"test.number_{number}"
        await record(db, action, actor_id=ada.id, actor_label=ada.name, request=RequestFacts())
    await db.flush()

    first = (await client.get("/account/activity")).text
    assert ("test.number_54" in first, "test.number_1<" in first, "You changed your profile" in first) == (
        True,
        False,
        False,
    )
    older = first.partition("?cursor=")[2].partition('"')[0]
    second = (await client.get(f"/account/activity?cursor={older}")).text
    assert ("test.number_1<" in second, "Older" in second) == (True, False)
    assert (await client.get("/account/activity?cursor=made-up")).status_code == 422


async def test_terms_are_asked_for_again_when_they_change(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    assert "Please accept our terms" in (await client.get("/account/profile")).text
    await client.post("/account/terms", data={"csrf_token": await csrf_token(client)})
    page = (await client.get("/account/profile")).text
    assert "accept our terms" not in page
    assert (await db.scalars(select(Consent.version))).all() == [TERMS_VERSION]
    ada.terms_version = "2020-01-01"
    await db.flush()
    assert "Our terms have changed" in (await client.get("/account/profile")).text


async def test_programs_change_what_they_name_and_nothing_else(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    headers = {"x-csrf-token": await csrf_token(client)}
    answer = await client.patch("/api/v1/me", json={"locale": "de", "time_zone": "Europe/Berlin"}, headers=headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["name"], told["locale"], told["time_zone"], told["theme"]) == (
        "Ada Lovelace",
        "de",
        "Europe/Berlin",
        "system",
    )
    cleared = await client.patch("/api/v1/me", json={"locale": None}, headers=headers)
    assert (cleared.json()["locale"], cleared.json()["time_zone"]) == (None, "Europe/Berlin")


@pytest.mark.requirement("API-2")
@pytest.mark.parametrize("field", ["is_staff", "status", "id", "second_factor_at", "terms_version", "avatar_digest"])
async def test_no_other_column_can_be_set(client: AsyncTestClient, ada: User, field: str) -> None:
    headers = {"x-csrf-token": await csrf_token(client)}
    assert (await client.patch("/api/v1/me", json={field: True}, headers=headers)).status_code == 422


# Events of an account that no longer is, of a stranger who got nowhere, and of the product itself.
OF_NOBODY = {"privacy.erased", "connections.refused", "privacy.export_built", "privacy.export_failed"}


def test_every_event_of_an_account_has_a_sentence() -> None:
    call = re.compile(r'(?:record|note)(?:_by|_about)?\(\s*db,\s*"([a-z_]+\.[a-z_]+)"')
    written = {action for path in FOLDER.rglob("*.py") for action in call.findall(path.read_text())}
    of_accounts = {action for action in written - set(all_sentences()) if not action.startswith("organizations.")}

    assert len(of_accounts) > 30
    assert of_accounts - set(SENTENCES) == OF_NOBODY
