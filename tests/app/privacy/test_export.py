"""Taking one's data along."""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Base
from app.features import import_models, modules, shell_parts
from app.jobs.models import JobProgress
from app.jobs.progress import Reporter
from app.jobs.registry import JobContext
from app.privacy.exporting import collect
from app.privacy.jobs import build_export, forget_exports
from app.privacy.models import DataExport
from app.profile.actions import set_avatar
from core.testclient import AsyncTestClient
from tests.app.accounts.people import PASSWORD, add_person, csrf_token, log_in, newest_message
from tests.databases import RolledBackDatabase

Statements = Callable[[], AbstractContextManager[list[str]]]
# Tables that name a person and are not in the copy, each with the reason.
NOT_EXPORTED = {
    "avatars": "the picture itself is in the file",
    "data_exports": "the copies themselves",
    "idempotency_keys": "gone after a day",
    "login_challenges": "gone after ten minutes",
    "oauth_states": "gone after ten minutes",
    "realtime_presence": "gone after half a minute",
}


@pytest.fixture
async def ada(client: AsyncTestClient, db: AsyncSession) -> User:
    user = await add_person(db)
    await log_in(client)
    return user


async def ask(client: AsyncTestClient) -> int:
    return (await client.post("/account/export", data={"csrf_token": await csrf_token(client)})).status_code


async def build(settings: Settings, database: RolledBackDatabase, db: AsyncSession) -> DataExport:
    export = (await db.scalars(select(DataExport))).one()
    await build_export(JobContext(settings, database), export_id=export.id)
    await db.refresh(export)
    return export


@pytest.mark.requirement("PRV-1")
async def test_a_copy_is_asked_for_built_announced_downloaded_and_erased(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings, ada: User
) -> None:
    await set_avatar(db, ada, b"a picture", facts=RequestFacts())
    assert "Take your data along" in (await client.get("/account/export")).text
    assert await ask(client) == 303
    assert "We are putting your data together" in (await client.get("/account/export")).text
    await db.execute(update(JobProgress).values(done=2, total=9))
    assert "2 of 9" in (await client.get("/account/export")).text
    export = await build(settings, database, db)
    progress = await db.get_one(JobProgress, export.id, populate_existing=True)
    assert (progress.state, progress.done) == ("done", progress.total)
    assert (await newest_message(db)).template == "privacy/export_ready"
    assert "Your data is ready" in (await client.get("/account/export")).text

    answer = await client.get(f"/account/export/{export.id}/download")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith("attachment")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    accounts = json.loads(archive.read("accounts.json"))
    assert accounts["person"][0]["name"] == "Ada Lovelace"
    assert accounts["addresses"][0]["address"] == "ada@example.com"
    assert json.loads(archive.read("organizations.json"))["memberships"][0]["organization"]["name"] == "Ada Lovelace"
    assert any(event["action"] == "accounts.logged_in" for event in json.loads(archive.read("audit.json"))["activity"])
    assert archive.read("picture.webp") == b"a picture"

    with clock.travel(timedelta(days=7, seconds=1)):
        client.cookies.clear()
        await log_in(client)
        assert (await client.get(f"/account/export/{export.id}/download")).status_code == 404
        assert "Your copy has expired" in (await client.get("/account/export")).text
        await forget_exports(JobContext(settings, database))
    await db.refresh(export, ["state", "content"])
    assert (export.state, export.content) == ("expired", None)


@pytest.mark.requirement("PRV-1")
async def test_no_secret_is_in_the_copy(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, ada: User
) -> None:
    told = json.dumps(await collect(db, ada, Reporter(database, ada.id)), default=str)
    assert "argon2" not in told
    assert PASSWORD not in told
    assert "hash" not in told


@pytest.mark.requirement("PRV-1")
async def test_every_table_that_names_a_person_is_in_the_copy(db: AsyncSession, ada: User) -> None:
    import_models()
    naming = {table.name for table in Base.metadata.tables.values() if "user_id" in table.columns}
    text = "".join(Path(module.__file__ or "").read_text() for _, module in modules("export"))
    classes = {mapper.local_table.name: mapper.class_.__name__ for mapper in Base.registry.mappers}  # type: ignore[attr-defined] # a Table
    missing = [name for name in naming - set(NOT_EXPORTED) if f"{classes[name]}.user_id" not in text]
    assert missing == []


async def test_one_copy_is_built_at_a_time(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    await ask(client)
    await ask(client)
    assert "We are putting your data together already" in (await client.get("/account/export")).text
    assert len((await db.scalars(select(DataExport.id))).all()) == 1


@pytest.mark.requirement("THR-4")
async def test_copies_have_a_limit(client: AsyncTestClient, db: AsyncSession, ada: User) -> None:
    assert [await ask(client) for _ in range(6)] == [303] * 5 + [429]


@pytest.mark.requirement("TEN-2")
async def test_a_copy_is_its_owners_alone_and_needs_a_recent_proof(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings, ada: User
) -> None:
    await ask(client)
    export = await build(settings, database, db)
    await add_person(db, "Grace Hopper", "grace@example.com")
    client.cookies.clear()
    stranger = await client.get(f"/account/export/{export.id}/download")
    assert stranger.headers["location"].startswith("/log-in")
    await log_in(client, "grace@example.com")
    assert (await client.get(f"/account/export/{export.id}/download")).status_code == 404
    client.cookies.clear()
    await log_in(client)
    with clock.travel(timedelta(minutes=16)):
        late = await client.get(f"/account/export/{export.id}/download")
        assert late.headers["location"].startswith("/confirm-identity")


async def test_after_the_last_attempt_the_page_says_that_it_failed(
    client: AsyncTestClient, db: AsyncSession, database: RolledBackDatabase, settings: Settings, ada: User
) -> None:
    await ask(client)
    export = (await db.scalars(select(DataExport))).one()
    broken = JobContext(settings, _Broken(database), attempt=4, attempts=4)  # type: ignore[arg-type] # stands in for one
    with pytest.raises(ConnectionError):
        await build_export(broken, export_id=export.id)
    assert "could not be put together" in (await client.get("/account/export")).text
    assert await ask(client) == 303


class _Broken:
    """A database that fails once."""

    def __init__(self, database: RolledBackDatabase) -> None:
        self._database, self._failed = database, False

    def transaction(self) -> object:
        if not self._failed:
            self._failed = True
            raise ConnectionError
        return self._database.transaction()


async def test_the_page_costs_two_statements(client: AsyncTestClient, ada: User, statements: Statements) -> None:
    with statements() as executed:
        await client.get("/account/export")
    assert len(executed) == 2 + len(shell_parts()), "\n".join(executed)
