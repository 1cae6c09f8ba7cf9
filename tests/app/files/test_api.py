"""Files, for programs."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.app.accounts.people import csrf_token
from tests.app.files.conftest import all_files, kept_paths
from tests.app.tokens.making import add_token, bearer

API = "/api/v1/organizations/ada-lovelace/files"
CONTENT = b"one,two\n1,2\n"


@pytest.fixture
async def program(
    app: Starlette, file_settings: Settings, db: AsyncSession, ada: User
) -> AsyncIterator[AsyncTestClient]:
    """A program with a token that may read and write files."""
    async with AsyncTestClient(app, base_url=file_settings.base_url, follow_redirects=False) as client:
        _, secret = await add_token(db, file_settings, ada, scopes=["files:write"])
        client.headers.update(bearer(secret))
        yield client


async def test_a_file_is_uploaded_listed_shown_downloaded_deleted_and_brought_back(program: AsyncTestClient) -> None:
    made = await program.post(API, files={"file": ("table.csv", CONTENT, "text/html")})
    assert made.status_code == 201
    file = made.json()
    assert (file["filename"], file["content_type"], file["size"], file["state"]) == (
        *("table.csv", "text/csv"),
        *(12, "ready"),
    )
    assert "key" not in file
    assert (await program.get(API)).json()["items"] == [file]
    assert (await program.get(f"{API}/{file['id']}")).json() == file

    link = (await program.get(f"{API}/{file['id']}/download-link")).json()
    address = urlsplit(link["url"])
    answer = await program.get(f"{address.path}?{address.query}")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    del program.headers["authorization"]
    assert (await program.get(f"{address.path}?{address.query}")).status_code == 401


async def test_deleting_is_undone_within_the_week(program: AsyncTestClient) -> None:
    file = (await program.post(API, files={"file": ("a.txt", b"x")})).json()
    assert (await program.delete(f"{API}/{file['id']}")).status_code == 204
    assert (await program.get(API)).json()["items"] == []
    [deleted] = (await program.get(f"{API}?state=deleted")).json()["items"]
    assert deleted["deleted_at"] is not None
    assert (await program.get(f"{API}/{file['id']}/download-link")).status_code == 404

    assert (await program.post(f"{API}/{file['id']}/restore")).json() == file
    assert (await program.post(f"{API}/{file['id']}/restore")).status_code == 409


@pytest.mark.requirement("UPL-1", "UPL-2")
async def test_refusals_say_why_and_keep_nothing(
    program: AsyncTestClient, db: AsyncSession, file_settings: Settings
) -> None:
    answer = await program.post(API, files={"file": ("a.pdf", b"<html>")})
    assert (answer.status_code, "not what the name" in answer.json()["detail"]) == (422, True)
    answer = await program.post(API, files={"file": ("a.bin", bytes(4 * 1024 * 1024))})
    assert (answer.status_code, "not enough room" in answer.json()["detail"]) == (413, True)
    assert (await program.post(API, data={"file": "text"})).status_code == 422
    assert (await program.post(API, json={"file": "text"})).status_code in (415, 422)
    many = [("file", (f"{number}.txt", b"x")) for number in range(11)]
    assert (await program.post(API, files=many)).status_code == 400
    assert (await all_files(db), kept_paths(file_settings)) == ([], [])


@pytest.mark.requirement("CSR-1")
async def test_a_script_of_our_pages_uploads_with_the_sessions_token(client: AsyncTestClient, ada: User) -> None:
    files = {"file": ("a.txt", b"x")}
    assert (await client.post(API, files=files)).status_code == 403
    answer = await client.post(API, files=files, headers={"x-csrf-token": await csrf_token(client)})
    assert answer.status_code == 201


@pytest.mark.requirement("API-1", "TEN-2")
async def test_a_token_needs_the_scope_and_the_persons_organization(
    app: Starlette, file_settings: Settings, db: AsyncSession, ada: User, grace: AsyncTestClient
) -> None:
    async with AsyncTestClient(app, base_url=file_settings.base_url, follow_redirects=False) as client:
        _, secret = await add_token(db, file_settings, ada, scopes=["files:read"])
        client.headers.update(bearer(secret))
        assert (await client.get(API)).status_code == 200
        assert (await client.post(API, files={"file": ("a.txt", b"x")})).status_code == 403
        assert (await client.get("/api/v1/organizations/grace-hopper/files")).status_code == 404
