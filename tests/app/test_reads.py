"""Compiled reads find what the ORM finds, and leave the session as the ORM would."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Integer, Select, Text, bindparam, func, insert, inspect, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from app.accounts.models import Email, Session, User
from app.audit.models import AuditEvent
from app.database import Database, release_connection
from app.ids import uuid7
from app.reads import Read
from app.recording import Unrecorded
from tests.app.accounts.people import add_person
from tests.databases import RolledBackDatabase

Statements = Callable[[], AbstractContextManager[list[str]]]

PEOPLE = select(User, Email, func.char_length(User.name)).outerjoin(User.primary_email).order_by(User.id)
EVENTS: Select[AuditEvent] = (
    select(AuditEvent)
    .where(AuditEvent.action == bindparam("action"))
    .order_by(AuditEvent.id)
    .limit(bindparam("limit", type_=Integer))
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
EVENT = st.builds(
    AuditEvent,
    id=st.builds(uuid7),
    action=st.just("reads.tried"),
    actor_type=st.just("system"),
    target_label=st.none() | TEXT,
    changes=st.none() | st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT)),
    ip=st.none() | TEXT,
    created_at=TIMES,
)


def columns_of(instance: object) -> dict[str, object]:
    return {attribute.key: getattr(instance, attribute.key) for attribute in inspect(type(instance)).column_attrs}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENT, max_size=4))
async def test_rows_are_those_of_the_orm(database: RolledBackDatabase, events: list[AuditEvent]) -> None:
    async with database.session() as db:
        db.add_all(events)
        await db.flush()
        db.expunge_all()
        expected = (await db.scalars(EVENTS, {"action": "reads.tried", "limit": 3})).all()
        wanted = [columns_of(event) for event in expected]
        db.expunge_all()
        found = [event for (event,) in await Read(EVENTS).all(db, action="reads.tried", limit=3)]

        assert [columns_of(event) for event in found] == wanted
        assert all(inspect(event).persistent and not inspect(event).modified for event in found)


async def test_entities_expressions_and_relations_come_together(db: AsyncSession) -> None:
    await add_person(db)
    db.add(User(name="Nobody Reachable"))
    await db.flush()
    db.expunge_all()
    statement = PEOPLE.options(contains_eager(User.primary_email))
    wanted = [(columns_of(user), user.email, length) for user, _, length in (await db.execute(statement)).all()]
    db.expunge_all()
    rows = await Read(PEOPLE, User.primary_email).all(db)

    assert [(columns_of(user), user.email, length) for user, _, length in rows] == wanted
    assert {user.email for user, _, _ in rows} == {"ada@example.com", ""}


async def test_what_was_read_can_be_changed_and_is_written(db: AsyncSession) -> None:
    await add_person(db)
    db.expunge_all()
    read = Read(select(User).where(User.name == bindparam("name")))
    row = await read.first(db, name="Ada Lovelace")
    assert row is not None
    row[0].name = "Ada King"

    assert await read.first(db, name="Ada Lovelace") is None
    assert await read.first(db, name="Ada King") == (row[0],)


async def test_an_instance_that_the_session_has_stays_as_it_is(db: AsyncSession) -> None:
    user = await add_person(db)
    user.name = "Not written yet"
    with db.no_autoflush:
        row = await Read(select(User)).first(db)

        assert row is not None
        assert row[0] is user
        assert user.name == "Not written yet"
        assert user in db.dirty


async def test_each_read_is_one_statement_that_listeners_see(db: AsyncSession, statements: Statements) -> None:
    with statements() as executed:
        assert await Read(PEOPLE).all(db) == []

    assert len(executed) == 1
    assert executed[0].startswith("SELECT users.id")


async def test_columns_alone_are_those_of_the_orm(db: AsyncSession) -> None:
    await add_person(db)
    statement = select(User.id, User.name, User.created_at, func.char_length(User.name))

    assert await Read(statement).all(db) == [tuple(row) for row in await db.execute(statement)]


async def test_a_read_after_a_commit_is_of_the_transaction_that_begins_with_it(fresh_database: Database) -> None:
    transaction = Read(select(func.pg_current_xact_id().cast(Text)))
    async with fresh_database.transaction() as db:
        first, again = await transaction.first(db), await transaction.first(db)
        await release_connection(db)
        next_one = await transaction.first(db)

    assert first == again
    assert next_one != first


async def test_a_missing_value_is_a_mistake(db: AsyncSession) -> None:
    with pytest.raises(KeyError, match="limit"):
        await Read(EVENTS).all(db, action="x")


async def test_an_error_is_that_of_the_orm(fresh_database: Database) -> None:
    failing = select(literal(1, Integer) / func.length(""))
    errors = []
    for read in (lambda db: db.execute(failing), lambda db: Read(failing).all(db)):
        with pytest.raises(DBAPIError) as caught:
            async with fresh_database.transaction() as db:
                await read(db)
        errors.append((type(caught.value), type(caught.value.orig), caught.value.connection_invalidated))

    assert errors[0] == errors[1]


async def test_a_read_is_inside_the_transaction(fresh_database: Database) -> None:
    moment = Read(select(func.now()))
    async with fresh_database.transaction() as db:
        first = await moment.first(db)
        db.add(User(name="Ada"))
        assert await Read(select(func.count()).select_from(User)).first(db) == (1,)
        assert (await db.scalar(select(func.now())),) == first
        await db.rollback()

    async with fresh_database.transaction() as db:
        assert await Read(select(func.count()).select_from(User)).first(db) == (0,)


async def test_what_is_written_after_a_read_is_committed_with_it_or_undone(fresh_database: Database) -> None:
    moment, people = Read(select(func.now())), Read(select(User.name))
    async with fresh_database.transaction() as db:
        begun = await moment.first(db)
        await db.execute(insert(User).values(name="Ada").execution_options(unrecorded="A test's person."))
        assert (await db.scalar(select(func.now())),) == begun
    with pytest.raises(Unrecorded):  # noqa: PT012 (the block is what is tested)
        async with fresh_database.transaction() as db:
            await moment.first(db)
            db.add(User(name="Grace"))
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 (the block is what is tested)
        async with fresh_database.transaction() as db:
            await moment.first(db)
            await db.execute(insert(User).values(name="Edith").execution_options(unrecorded="A test's person."))
            raise ZeroDivisionError

    async with fresh_database.transaction() as db:
        assert await people.all(db) == [("Ada",)]


async def test_a_lost_connection_costs_one_request(fresh_database: Database) -> None:
    me = Read(select(func.pg_backend_pid()))
    async with fresh_database.transaction() as db:
        row = await me.first(db)
        assert row is not None
    async with fresh_database.engine.connect() as other, fresh_database.transaction() as db:
        victim = await me.first(db)
        assert victim is not None
        await other.execute(select(func.pg_terminate_backend(victim[0])))
        with pytest.raises(DBAPIError) as caught:
            await me.first(db)
        assert caught.value.connection_invalidated
        await db.rollback()
    async with fresh_database.transaction() as db:
        assert await me.first(db) is not None


def test_times_are_compared_with_their_zone() -> None:
    read = Read(select(Session).where(Session.expires_at > bindparam("now")))
    later = datetime.now(UTC) + timedelta(hours=1)
    assert read._plan.arguments({"now": later}) == [later]
