"""What a file's content comes with, whoever asks, and for how long a link is good."""

import dataclasses
import io
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
import time_machine
from httpx2 import Response
from PIL import Image
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.config_files import FileSettings
from app.database import system_scope
from app.files.models import FileState
from app.main import create_app
from app.organizations.models import Membership
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import csrf_token, log_in, organization_of
from tests.app.files.conftest import kept_paths, only_file, upload
from tests.app.organizations.test_handlers import add_member
from tests.app.test_images import picture
from tests.databases import RolledBackDatabase

PAGE = "/o/ada-lovelace/files"
CONTENT = b"0123456789" * 20


async def link_to(client: AsyncTestClient, db: AsyncSession, way: str = "download") -> str:
    answer = await client.get(f"{PAGE}/{(await only_file(db)).id}/{way}")
    assert answer.status_code == 303
    return answer.headers["location"]


async def fetch(
    client: AsyncTestClient, db: AsyncSession, name: str, content: bytes, way: str = "download"
) -> Response:
    assert (await upload(client, (name, content))).status_code == 303
    return await client.get(await link_to(client, db, way))


@pytest.mark.requirement("UPL-4", "HDR-2")
async def test_whatever_is_in_a_file_a_browser_saves_it_and_does_nothing_with_it(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    page = b"<script>alert(document.cookie)</script>"
    answer = await fetch(client, db, "page.html", page)

    assert (answer.status_code, answer.content) == (200, page)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="page.html"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in answer.headers


@pytest.mark.requirement("UPL-4")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../../evil.txt", 'filename="evil.txt"'),
        ('a"b.txt', "filename*=utf-8''a%2522b.txt"),  # A browser sends %22 for the mark.
        ("Gjøa log.txt", "filename*=utf-8''Gj%C3%B8a%20log.txt"),
        ("gnp\u202etxt.exe", 'filename="gnptxt.exe"'),
        ("CON.txt", 'filename="_CON.txt"'),
        ("n" * 300 + ".txt", f'filename="{"n" * 196}.txt"'),
        ("semi;colon=.txt", "filename*=utf-8''semi%3Bcolon%3D.txt"),
    ],
)
async def test_names_say_what_the_file_is_called_and_nothing_else(
    client: AsyncTestClient, db: AsyncSession, ada: User, name: str, said: str
) -> None:
    answer = await fetch(client, db, name, b"x")
    assert answer.headers["content-disposition"] == f"attachment; {said}"


@pytest.mark.requirement("UPL-4")
async def test_a_link_is_for_one_person_one_file_one_way_and_five_minutes(
    client: AsyncTestClient, grace: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    person = (await db.scalars(select(User).where(User.name == "Grace Hopper"))).one()
    await add_member(db, await organization_of(db, ada), person, Role.ADMIN)
    await upload(client, ("plan.txt", CONTENT))
    link = await link_to(client, db)

    assert (await client.get(link)).content == CONTENT
    assert (await grace.get(link)).status_code == 404
    assert (await grace.get(await link_to(grace, db))).content == CONTENT
    query = parse_qs(urlsplit(link).query)
    later = link.replace(query["expires"][0], str(int(query["expires"][0]) + 60))
    for forged in (later, f"{link}&inline=true", link[:-1] + ("0" if link[-1] != "0" else "1")):
        assert (await client.get(forged)).status_code == 404
    other_file = link.replace(str((await only_file(db)).id), "0199d0c0-0000-7000-8000-000000000000")
    assert (await client.get(other_file)).status_code == 404
    assert (await client.get(urlsplit(link).path)).status_code == 422

    with time_machine.travel(clock.now() + timedelta(minutes=5, seconds=1), tick=False):
        assert (await client.get(link)).status_code == 410


@pytest.mark.requirement("UPL-4")
async def test_whoever_may_not_have_the_file_any_more_does_not_get_it_by_an_old_link(
    client: AsyncTestClient, grace: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    person = (await db.scalars(select(User).where(User.name == "Grace Hopper"))).one()
    organization = await organization_of(db, ada)
    await add_member(db, organization, person, Role.MEMBER)
    await upload(client, ("plan.txt", CONTENT))
    link = await link_to(grace, db)
    assert (await grace.get(link)).status_code == 200

    async with system_scope(db):
        membership = await db.get_one(Membership, (organization.id, person.id))
        await db.delete(membership)
    assert (await grace.get(link)).status_code == 404
    grace.cookies.clear()
    assert (await grace.get(link)).status_code == 303

    own = await link_to(client, db)
    path = f"{PAGE}/{(await only_file(db)).id}/delete"
    await client.post(path, data={"csrf_token": await csrf_token(client)})
    assert (await client.get(own)).status_code == 404


async def test_links_made_with_an_earlier_secret_still_work(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, file_settings: Settings, ada: User
) -> None:
    await upload(client, ("plan.txt", CONTENT))
    link = await link_to(client, db)
    rotated = dataclasses.replace(
        file_settings,
        secret_key=type(file_settings.secret_key)("another-5Vq0Yk3bWm8RzXcTn2LhJd7Pf9GsAe4UuBi6"),
        secret_key_fallbacks=(file_settings.secret_key,),
    )
    app = create_app(rotated, database=database)
    async with AsyncTestClient(app, base_url=rotated.base_url, follow_redirects=False) as other:
        await log_in(other)
        assert (await other.get(link)).status_code == 200


async def test_parts_of_a_file_can_be_asked_for(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    whole = await fetch(client, db, "plan.bin", CONTENT)
    link = str(whole.request.url)
    assert (whole.headers["accept-ranges"], whole.headers["content-length"]) == ("bytes", "200")

    part = await client.get(link, headers={"range": "bytes=190-"})
    assert (part.status_code, part.content) == (206, b"0123456789")
    assert part.headers["content-range"] == "bytes 190-199/200"
    assert part.headers["content-disposition"] == 'attachment; filename="plan.bin"'
    assert (await client.get(link, headers={"range": "bytes=200-"})).status_code == 416
    changed = await client.get(link, headers={"range": "bytes=0-1", "if-range": '"other"'})
    assert (changed.status_code, changed.content) == (200, CONTENT)


@pytest.mark.requirement("UPL-2", "UPL-4")
async def test_only_pictures_that_we_made_are_shown_in_the_browser(
    client: AsyncTestClient, db: AsyncSession, ada: User
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "secret camera"
    content = picture("JPEG", (60, 40), exif=exif) + b"<script>alert(1)</script>"
    answer = await fetch(client, db, "photo.jpg", content, "view")

    assert answer.headers["content-disposition"] == 'inline; filename="photo.jpg"'
    assert answer.headers["content-type"] == "image/jpeg"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert b"secret camera" not in answer.content
    assert b"script" not in answer.content
    assert Image.open(io.BytesIO(answer.content), formats=["JPEG"]).size == (60, 40)


@pytest.mark.requirement("UPL-2")
@pytest.mark.parametrize("name", ["drawing.svg", "page.html", "notes.txt", "paper.pdf"])
async def test_everything_else_is_saved_even_if_it_is_to_be_shown(
    client: AsyncTestClient, db: AsyncSession, ada: User, name: str
) -> None:
    answer = await fetch(client, db, name, b"%PDF-1.4 <svg><script>alert(1)</script></svg>", "view")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "inline" not in str(answer.request.url)


async def test_a_file_that_is_missing_in_the_storage_is_our_trouble(
    client: AsyncTestClient, db: AsyncSession, file_settings: Settings, ada: User
) -> None:
    await upload(client, ("plan.txt", CONTENT))
    for path in kept_paths(file_settings):
        path.unlink()
    assert (await client.get(await link_to(client, db))).status_code == 503


async def test_a_file_stays_readable_where_it_was_put_when_new_ones_go_elsewhere(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, file_settings: Settings, ada: User
) -> None:
    await upload(client, ("plan.txt", CONTENT))
    elsewhere = FileSettings(storage="s3", bucket="files", endpoint="http://127.0.0.1:9", access_key_id="a")
    app = create_app(dataclasses.replace(file_settings, files=elsewhere), database=database)
    async with AsyncTestClient(app, base_url=file_settings.base_url, follow_redirects=False) as other:
        await log_in(other)
        assert (await other.get(await link_to(other, db))).content == CONTENT
    assert (await only_file(db)).state == FileState.READY


@pytest.mark.requirement("UPL-4")
async def test_from_a_bucket_files_come_in_the_same_way(
    db: AsyncSession, database: RolledBackDatabase, file_settings: Settings, s3: FileSettings, ada: User
) -> None:
    app = create_app(dataclasses.replace(file_settings, files=s3), database=database)
    async with AsyncTestClient(app, base_url=file_settings.base_url, follow_redirects=False) as client:
        await log_in(client)
        whole = await fetch(client, db, "Gjøa.csv", CONTENT * 20)
        link = str(whole.request.url)
        part = await client.get(link, headers={"range": "bytes=3990-", "if-range": whole.headers["etag"]})
        beyond = await client.get(link, headers={"range": "bytes=4000-"})
        await delete_bucket(s3)
        broken = await client.get(link)

    assert (await only_file(db)).storage == "s3"
    assert kept_paths(file_settings) == []
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (
        200,
        CONTENT * 20,
        "text/csv; charset=utf-8",
    )
    assert whole.headers["content-disposition"] == "attachment; filename*=utf-8''Gj%C3%B8a.csv"
    assert "sandbox" in whole.headers["content-security-policy"]
    assert (part.status_code, part.content, part.headers["content-range"]) == (
        206,
        b"0123456789",
        "bytes 3990-3999/4000",
    )
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */4000")
    assert broken.status_code == 503


async def delete_bucket(s3: FileSettings) -> None:
    """Take everything away behind the product's back."""
    async with httpx.AsyncClient() as http:
        await http.post(f"{s3.endpoint}/moto-api/reset", timeout=10)
