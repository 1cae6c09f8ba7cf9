"""Sweeping up: interrupted uploads, files whose week is over, organizations that are gone."""

import asyncio
import dataclasses
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.config_files import FileSettings
from app.database import Database, system_scope
from app.files.actions import QuotaExceeded, keep_file
from app.files.jobs import sweep_files
from app.files.models import File, FileRemoval, FileState, FileUsage
from app.jobs.registry import JobContext
from app.main import create_app
from app.organizations.models import Membership, Organization, Scope
from core.requests import ClientDisconnect
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, organization_of
from tests.app.files.conftest import all_files, kept_paths, only_file, upload
from tests.databases import RolledBackDatabase

KEPT = timedelta(days=7, seconds=1)


@pytest.fixture
def worker(file_settings: Settings, database: RolledBackDatabase) -> JobContext:
    return JobContext(file_settings, database)


async def used(db: AsyncSession) -> tuple[int, int]:
    async with system_scope(db):
        usage = await db.scalar(select(FileUsage).execution_options(populate_existing=True))
    return (usage.size, usage.files) if usage else (0, 0)


async def scope_of(db: AsyncSession, user: User) -> Scope:
    organization = await organization_of(db, user)
    async with system_scope(db):
        membership = await db.get_one(Membership, (organization.id, user.id))
    return Scope(user, organization, membership, "")


async def test_a_deleted_file_is_erased_after_its_week_and_not_before(
    client: AsyncTestClient, db: AsyncSession, worker: JobContext, ada: User
) -> None:
    await upload(client, ("a.txt", b"four"), ("b.txt", b"x"))
    path = f"/o/ada-lovelace/files/{(await all_files(db))[0].id}"
    await client.post(f"{path}/delete", data={"csrf_token": await csrf_token(client)})
    await sweep_files(worker)
    assert (await used(db), len(kept_paths(worker.settings))) == ((5, 2), 2)

    with time_machine.travel(clock.now() + KEPT, tick=False):
        await sweep_files(worker)
    assert (await only_file(db)).filename == "b.txt"
    assert (await used(db), len(kept_paths(worker.settings))) == ((1, 1), 1)
    async with system_scope(db):
        assert (await db.scalars(select(FileRemoval))).all() == []


@pytest.mark.requirement("UPL-1")
async def test_an_upload_that_was_interrupted_is_swept_after_a_day(
    db: AsyncSession, database: RolledBackDatabase, worker: JobContext, ada: User
) -> None:
    with tempfile.TemporaryFile() as content:
        content.write(b"half a plan")
        await keep_file(database, worker.settings, await scope_of(db, ada), content, filename="plan.txt")
    assert (await only_file(db)).state == FileState.PENDING
    await sweep_files(worker)
    assert await used(db) == (11, 1)

    with time_machine.travel(clock.now() + timedelta(days=1, seconds=1), tick=False):
        await sweep_files(worker)
    assert (await all_files(db), await used(db), kept_paths(worker.settings)) == ([], (0, 0), [])


@pytest.mark.requirement("PRV-1")
async def test_the_files_of_an_organization_that_is_erased_go_too(
    client: AsyncTestClient, db: AsyncSession, worker: JobContext, ada: User
) -> None:
    await upload(client, ("a.txt", b"x"))
    organization = await organization_of(db, ada)
    async with system_scope(db):
        await db.execute(update(User).values(current_organization_id=None))
        await db.execute(delete(Organization).where(Organization.id == organization.id))
    assert len(kept_paths(worker.settings)) == 1
    await sweep_files(worker)
    assert kept_paths(worker.settings) == []


async def test_bytes_that_cannot_be_removed_now_are_removed_later(
    client: AsyncTestClient, db: AsyncSession, worker: JobContext, ada: User
) -> None:
    await upload(client, ("a.txt", b"x"))
    async with system_scope(db):
        await db.execute(update(File).values(storage="s3"))
        await db.execute(delete(File))
    nowhere = FileSettings(storage="s3", bucket="b", endpoint="http://127.0.0.1:9", access_key_id="a")
    broken = dataclasses.replace(worker, settings=dataclasses.replace(worker.settings, files=nowhere))
    with pytest.raises(Exception, match="the storage does not answer"):
        await sweep_files(broken)
    async with system_scope(db):
        assert len((await db.scalars(select(FileRemoval))).all()) == 1


@pytest.mark.requirement("UPL-1")
async def test_a_storage_that_is_out_of_order_is_said_so_and_nothing_counts(
    client: AsyncTestClient, db: AsyncSession, worker: JobContext, ada: User
) -> None:
    folder = worker.settings.data_directory / "files"
    folder.write_text("a file where a folder should be")
    response = await upload(client, ("a.txt", b"x"))

    assert response.status_code == 422
    assert "We cannot keep or fetch files at the moment." in response.text
    assert (await all_files(db), await used(db)) == ([], (0, 0))


@pytest.mark.requirement("UPL-1")
async def test_a_browser_that_leaves_in_the_middle_leaves_nothing(
    client: AsyncTestClient, db: AsyncSession, worker: JobContext, ada: User
) -> None:
    token = await csrf_token(client)

    async def half() -> AsyncIterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.bin"\r\n\r\n' + bytes(2 * 1024 * 1024)
        raise ClientDisconnect

    response = await client.post(
        "/o/ada-lovelace/files",
        content=half(),
        headers={"content-type": "multipart/form-data; boundary=x", "x-csrf-token": token},
    )
    assert response.status_code == 400
    assert (await all_files(db), await used(db), kept_paths(worker.settings)) == ([], (0, 0), [])


@pytest.mark.requirement("UPL-1")
async def test_of_many_uploads_at_once_as_many_are_kept_as_there_is_room_for(
    fresh_database: Database, file_settings: Settings
) -> None:
    settings = dataclasses.replace(file_settings, files=FileSettings(quota=5000))
    async with fresh_database.transaction() as db:
        scope = await scope_of(db, await add_person(db))

    async def one(number: int) -> bool:
        with tempfile.TemporaryFile() as content:
            content.write(bytes(1000))
            try:
                await keep_file(fresh_database, settings, scope, content, filename=f"{number}.bin")
            except QuotaExceeded:
                return False
        return True

    outcomes = await asyncio.gather(*(one(number) for number in range(8)))
    assert (sum(outcomes), len(kept_paths(settings))) == (5, 5)
    async with fresh_database.transaction() as db:
        assert await used(db) == (5000, 5)


async def test_while_an_upload_comes_in_nobodys_connection_to_the_database_waits(
    fresh_database: Database, file_settings: Settings
) -> None:
    async with fresh_database.transaction() as db:
        await add_person(db)
    app = create_app(file_settings, database=fresh_database)
    held: list[int] = []

    async def slowly() -> AsyncIterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.txt"\r\n\r\nAhoy.'
        held.append(fresh_database.engine.pool.checkedout())  # type: ignore[attr-defined] # of a pool with a queue
        yield b"\r\n--x--\r\n"

    async with AsyncTestClient(app, base_url=file_settings.base_url, follow_redirects=False) as client:
        await log_in(client)
        headers = {"content-type": "multipart/form-data; boundary=x", "x-csrf-token": await csrf_token(client)}
        response = await client.post("/o/ada-lovelace/files", content=slowly(), headers=headers)

    assert (response.status_code, held) == (303, [0])
