"""What tests of files share: an application that keeps them in a folder of the test's own, and somebody to upload them."""

import dataclasses
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.config_files import FileSettings
from app.database import system_scope
from app.files.models import File
from app.files.storage import new_key
from app.main import create_app
from core.applications import Starlette
from core.datastructures import Secret
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.databases import RolledBackDatabase
from tests.environments import NotInstalled, environment
from tests.networks import free_port

MEGABYTE = 1024 * 1024
START_SECONDS = 30


@pytest.fixture
def file_settings(settings: Settings, tmp_path: Path) -> Settings:
    """A quota of three megabytes, and files below the test's own folder."""
    return dataclasses.replace(settings, data_directory=tmp_path, files=FileSettings(quota=3 * MEGABYTE))


@pytest.fixture
async def app(file_settings: Settings, database: RolledBackDatabase) -> Starlette:
    return create_app(file_settings, database=database)


@pytest.fixture
async def ada(client: AsyncTestClient, db: AsyncSession) -> User:
    """Somebody who is logged in, with the organization ada-lovelace."""
    user = await add_person(db)
    await log_in(client)
    return user


@pytest.fixture
async def grace(app: Starlette, file_settings: Settings, db: AsyncSession, ada: User) -> AsyncIterator[AsyncTestClient]:
    """The browser of somebody else, with the organization grace-hopper."""
    await add_person(db, "Grace Hopper", "grace@example.com")
    async with AsyncTestClient(app, base_url=file_settings.base_url, follow_redirects=False) as other:
        await log_in(other, "grace@example.com")
        yield other


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """moto's server, in an environment of its own, because its libraries do not go with ours."""
    try:
        program = environment("moto", Path(__file__).with_name("moto.lock")) / "moto_server"
    except NotInstalled as reason:
        pytest.skip(str(reason))
    port = free_port()
    command = [str(program), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(f"{endpoint}/moto-api/", process)
        yield endpoint
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("moto's server did not start")


@pytest.fixture
def s3(s3_endpoint: str) -> FileSettings:
    """Settings that keep files in an empty bucket."""
    bucket = f"files-{new_key()[:8]}"
    httpx.put(f"{s3_endpoint}/{bucket}", timeout=10).raise_for_status()
    return FileSettings(
        storage="s3", bucket=bucket, endpoint=s3_endpoint, access_key_id="key", secret_access_key=Secret("secret")
    )


async def upload(
    client: AsyncTestClient, *files: tuple[str, bytes], slug: str = "ada-lovelace", token: str | None = None
) -> Response:
    """Submit the form of the page, as a browser without JavaScript does."""
    sent = [("files", (name, content, "text/html")) for name, content in files]
    data = {"csrf_token": await csrf_token(client) if token is None else token}
    return await client.post(f"/o/{slug}/files", data=data, files=sent)


async def all_files(db: AsyncSession) -> list[File]:
    async with system_scope(db):
        found = await db.scalars(select(File).order_by(File.id).execution_options(populate_existing=True))
        return list(found)


async def only_file(db: AsyncSession) -> File:
    [file] = await all_files(db)
    return file


def kept_paths(settings: Settings) -> list[Path]:
    """Everything that lies in the storage's folder, whatever it is."""
    return [path for path in (settings.data_directory / "files").rglob("*") if path.is_file()]
