"""Two people who do something with the same file at the same moment."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, name_organization
from app.files.actions import delete_file, erase_files
from app.files.queries import find_file
from app.main import create_app
from app.organizations.models import Scope
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.files.conftest import all_files, only_file, upload
from tests.app.files.test_jobs import scope_of
from tests.app.locks import lock_waits
from tests.app.organizations.teams import events_of

PAGE, API = "/o/ada-lovelace/files", "/api/v1/organizations/ada-lovelace/files"


@pytest.fixture
async def scope(fresh_database: Database) -> Scope:
    async with fresh_database.transaction() as db:
        return await scope_of(db, await add_person(db))


@pytest.fixture
async def browser(fresh_database: Database, file_settings: Settings, scope: Scope) -> AsyncIterator[AsyncTestClient]:
    """Ada's, whose requests really commit. She has uploaded a file."""
    app = create_app(file_settings, database=fresh_database)
    async with AsyncTestClient(
        app, base_url=file_settings.base_url, raise_server_exceptions=False, follow_redirects=False
    ) as client:
        await log_in(client)
        await upload(client, ("plan.txt", b"x"))
        yield client


async def delete_now(db: AsyncSession, scope: Scope) -> None:
    await name_organization(db, scope.organization.id)
    file = await find_file(db, scope, (await only_file(db)).id)
    assert file is not None
    await delete_file(db, scope, file, facts=RequestFacts())


@pytest.mark.parametrize("wish", ["restore", "delete"])
@pytest.mark.parametrize("whom", [PAGE, API])
async def test_a_file_that_somebody_erases_at_this_very_moment_is_not_found(
    fresh_database: Database, browser: AsyncTestClient, scope: Scope, wish: str, whom: str
) -> None:
    headers = {"x-csrf-token": await csrf_token(browser)}
    async with fresh_database.transaction() as db:
        file = await only_file(db)
        if wish == "restore":
            await delete_now(db, scope)
    address = f"{whom}/{file.id}"
    async with asyncio.TaskGroup() as group, fresh_database.transaction() as db:
        if wish == "delete":
            await delete_now(db, scope)
        await name_organization(db, scope.organization.id)
        await erase_files(db, scope, facts=RequestFacts())
        if wish == "delete" and whom == API:
            request = group.create_task(browser.delete(address, headers=headers))
        else:
            request = group.create_task(browser.post(f"{address}/{wish}", headers=headers))
        await lock_waits(fresh_database, 1)

    assert request.result().status_code == 404
    async with fresh_database.transaction() as db:
        assert await all_files(db) == []


async def test_of_two_who_delete_a_file_at_once_one_is_written_down(
    fresh_database: Database, browser: AsyncTestClient, scope: Scope
) -> None:
    token = await csrf_token(browser)
    async with asyncio.TaskGroup() as group, fresh_database.transaction() as db:
        path = f"{PAGE}/{(await only_file(db)).id}/delete"
        await delete_now(db, scope)
        await db.flush()
        request = group.create_task(browser.post(path, data={"csrf_token": token}))
        await lock_waits(fresh_database, 1)

    assert request.result().status_code == 303
    async with fresh_database.transaction() as db:
        assert len(await events_of(db, scope.organization, "files.deleted")) == 1
