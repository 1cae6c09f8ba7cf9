"""Nothing that somebody decides about changes unseen: a transaction that told the audit trail nothing is refused."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.dependencies import CurrentUser
from app.accounts.models import User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.database import Base, Database, Db, release_connection
from app.features import import_models
from app.recording import Unrecorded
from app.throttle import Limit, hit
from core.applications import Starlette
from core.responses import Response
from core.routing import Route
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.databases import RolledBackDatabase

pytestmark = pytest.mark.requirement("AUD-1")

RENAMED = update(User).values(name="Renamed")


@pytest.fixture
async def people(database: RolledBackDatabase) -> RolledBackDatabase:
    """A database with one person in it."""
    async with database.transaction() as db:
        await add_person(db)
    return database


async def names(database: Database) -> list[str]:
    async with database.transaction() as db:
        return list(await db.scalars(select(User.name)))


async def rename(db: AsyncSession) -> None:
    await db.execute(RENAMED)


async def rename_and_tell_in_vain(db: AsyncSession) -> None:
    await db.execute(RENAMED)
    savepoint = await db.begin_nested()
    await tell(db)
    await savepoint.rollback()


async def rename_in_a_savepoint(db: AsyncSession) -> None:
    async with db.begin_nested(), db.begin_nested():
        await db.execute(RENAMED)


async def rename_before_something_slow(db: AsyncSession) -> None:
    await db.execute(RENAMED)
    await release_connection(db)


async def rename_without_a_statement(db: AsyncSession) -> None:
    (await db.scalars(select(User))).one().name = "Renamed"


async def tell(db: AsyncSession) -> None:
    await record(db, "tests.renamed", actor_id=None, request=RequestFacts())


@pytest.mark.parametrize(
    "change",
    [
        rename,
        rename_without_a_statement,
        rename_in_a_savepoint,
        rename_and_tell_in_vain,
        rename_before_something_slow,
    ],
)
async def test_a_change_without_an_event_is_not_kept(
    people: Database, change: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    with pytest.raises(Unrecorded, match="users changed without an audit event"):
        async with people.transaction() as db:
            await change(db)

    assert await names(people) == ["Ada Lovelace"]


async def test_what_is_really_committed_is_held_to_it_too(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        await add_person(db)
    with pytest.raises(Unrecorded):
        async with fresh_database.transaction() as db:
            await rename_in_a_savepoint(db)

    assert await names(fresh_database) == ["Ada Lovelace"]


async def test_a_change_with_its_event_is_kept(people: Database) -> None:
    async with people.transaction() as db:
        await db.execute(RENAMED)
        await tell(db)

    assert await names(people) == ["Renamed"]


async def test_an_event_of_another_transaction_is_none_of_this_one(people: Database) -> None:
    async with people.transaction() as db:
        await tell(db)
    with pytest.raises(Unrecorded):
        async with people.transaction() as db:
            await rename(db)


async def test_what_found_nothing_to_change_needs_no_event(people: Database) -> None:
    async with people.transaction() as db:
        await db.execute(delete(User).where(User.name == "Nobody"))


async def test_what_was_taken_back_needs_no_event(people: Database) -> None:
    async with people.transaction() as db:
        savepoint = await db.begin_nested()
        await db.execute(RENAMED)
        await savepoint.rollback()

    assert await names(people) == ["Ada Lovelace"]


async def test_a_statement_may_say_why_it_needs_no_event(people: Database) -> None:
    async with people.transaction() as db:
        await db.execute(RENAMED.execution_options(unrecorded="This test decides nothing."))

    assert await names(people) == ["Renamed"]


async def test_a_table_may_say_why_it_needs_no_event(people: Database) -> None:
    await hit(people, Limit("tests", "key", allowed=1, seconds=60))


async def test_a_page_that_changes_something_unseen_fails(
    app: Starlette, failing_client: AsyncTestClient, db: AsyncSession
) -> None:
    async def rename_unseen(user: CurrentUser, db: Db) -> Response:
        user.name = "Renamed"
        return Response("Saved.")

    app.router.routes.append(Route("/rename", rename_unseen, name="tests.rename_unseen"))
    await add_person(db)
    await log_in(failing_client)

    assert (await failing_client.get("/rename")).status_code == 500
    assert await db.scalar(select(func.count()).where(User.name == "Renamed")) == 0


def test_every_exempt_table_says_why_in_a_sentence() -> None:
    import_models()
    reasons = {table.name: table.info.get("unrecorded") for table in Base.metadata.tables.values()}

    assert [name for name, said in reasons.items() if said is not None and not said.endswith(".")] == []
    assert {name for name, said in reasons.items() if said is None} >= {"users", "memberships", "projects", "files"}
