"""The database: what tables have in common, one transaction per request, and whose rows a transaction may see."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import URL, DateTime, ForeignKey, MetaData, Text, Uuid, cast, event, func, make_url, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from app import clock
from app.config import Settings
from app.ids import uuid7
from app.lines import take_line
from app.outages import is_silent
from app.recording import commit_recorded, watch
from app.schema import pending_migrations
from core.params import Depends
from core.requests import HTTPConnection

IDLE_IN_TRANSACTION_SECONDS = 60
READINESS_SECONDS = 1
# Probes come every few seconds from several places; they share one answer.
READINESS_KEPT_SECONDS = 1
# After the server has cancelled a statement, its word needs a moment to arrive; a silent server has had its chance.
SILENCE_SECONDS = 0.25

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
}


class Base(DeclarativeBase):
    """What all tables share.

    The application's role may read and write every table's rows; one with fewer rights says so in its table's `info`:
    `{"info": {"privileges": ("SELECT", "INSERT")}}`.
    """

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB(),
    }


class Identified:
    """Rows with an id of their own, which sorts by age."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-1)


class Timestamped:
    """Rows that know when they were made."""

    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=1)


class Tenant:
    """Rows that belong to one organization and disappear with it.

    The migration of such a table calls `enable_row_level_security`; a test reads the catalog and fails otherwise.
    """

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))


@dataclass(frozen=True)
class Patience:
    """The longest waits in seconds: for a place in the pool, for a connection, for a statement."""

    pool: float
    connect: float
    statement: float


# Whoever waits for a page is told within two seconds that something is down. A request waits at most for a place and then
# either for a new connection or for a statement on a kept one; while the database is silent each of these sums stays below.
REQUESTS = Patience(pool=0.5, connect=1.0, statement=1.25)
# Nobody looks at the worker, at commands and at tests while they wait; a worker's sweep may be long.
WORK = Patience(pool=10, connect=5, statement=30)


class Database:
    """A pool of connections to one PostgreSQL database, made for one event loop."""

    def __init__(self, url: str, *, pool_size: int = 10, patience: Patience = WORK) -> None:
        """`url` as Settings keep it (postgresql+asyncpg://…)."""
        address, arguments = _connection(url, patience)
        self.engine: AsyncEngine = create_async_engine(
            address,
            pool_size=pool_size,
            max_overflow=5,
            pool_timeout=patience.pool,
            connect_args=arguments,
            hide_parameters=True,  # Else a failure's line in the log would have what people sent.
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed_connection)
        event.listen(self.engine.sync_engine, "handle_error", _cut_silent_line)
        watch(self.engine.sync_engine)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._problem: tuple[float, str | None] | None = None

    @classmethod
    def from_settings(cls, settings: Settings, patience: Patience = WORK) -> "Database":
        return cls(settings.database_url, pool_size=settings.database_pool_size, patience=patience)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed at the end of the block, or undone if the block raises.

        A connection is taken with the first statement, so that a block without statements costs nothing.
        """
        session = self._sessions()
        try:
            yield session
            await _commit(session)
        except BaseException:
            # Shielded: whoever was cancelled gives the connection back all the same.
            await asyncio.shield(asyncio.ensure_future(_undo(session)))
            raise
        # The commit has given the connection back, so there is nothing left to wait for.
        session.sync_session.close()

    async def find_problem(self) -> str | None:
        """Why requests that need the database would fail now, or None. The answer is kept for a second."""
        if self._problem is None or time.monotonic() - self._problem[0] > READINESS_KEPT_SECONDS:
            self._problem = (time.monotonic(), await self._find_problem())
        return self._problem[1]

    async def is_ready(self) -> bool:
        """The database can be reached and has every migration that this code knows."""
        return await self.find_problem() is None

    async def close(self) -> None:
        """Close all connections, before the event loop ends."""
        await self.engine.dispose()

    async def _find_problem(self) -> str | None:
        try:
            async with asyncio.timeout(READINESS_SECONDS), self.engine.connect() as connection:
                pending = await pending_migrations(connection)
        except (OSError, TimeoutError, SQLAlchemyError):
            return "The database cannot be reached."
        return f"Migrations are pending: {', '.join(pending)}." if pending else None


def _connection(url: str, patience: Patience) -> tuple[URL, dict[str, Any]]:
    """The address without the options that are libpq's, and the arguments for asyncpg that stand for them.

    Every wait has an end: without these, a broken network line would hold a request for TCP's quarter of an hour.
    """
    address = make_url(url)
    mode, root_certificate = address.query.get("sslmode"), address.query.get("sslrootcert")
    arguments: dict[str, Any] = {
        "timeout": patience.connect,
        "command_timeout": patience.statement + SILENCE_SECONDS,
        "server_settings": {
            "application_name": "slipway",
            "statement_timeout": str(int(patience.statement * 1000)),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_SECONDS * 1000),
        },
    }
    if mode in ("verify-ca", "verify-full"):
        arguments["ssl"] = ssl.create_default_context(cafile=str(root_certificate) if root_certificate else None)
        arguments["ssl"].check_hostname = mode == "verify-full"
    elif mode:
        arguments["ssl"] = mode
    return address.difference_update_query(["sslmode", "sslrootcert", "channel_binding"]), arguments


def _refuse_closed_connection(
    connection: Any, record: Any, proxy: Any
) -> None:  # Any: SQLAlchemy's event has no types.
    """Drop connections that the server has closed (a restart, a failover) before a request meets one.

    The pool's own pre-ping asks the server, three round trips each time; asyncpg has already seen the line close.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError("The server closed this connection.")


def _cut_silent_line(context: ExceptionContext) -> None:
    """End the connection of a statement that got no answer, at once.

    Else the driver would ask the silent server to cancel, to roll back and to close in order, each as slowly, and the
    place in the pool would be taken meanwhile.
    """
    connection = context.connection
    if connection is not None and not connection.closed and is_silent(context.original_exception):
        connection.connection.driver_connection.terminate()  # type: ignore[union-attr] # asyncpg's, without types


async def database_session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    """The request's transaction: committed when the handler has returned, before the first byte is sent."""
    async with connection.app.state.database.transaction() as session:
        yield session


Db = Annotated[AsyncSession, Depends(database_session)]


async def release_connection(db: AsyncSession) -> None:
    """Give the connection back before something slow that needs none, such as hashing a password.

    What was read stays. For before the first write: what was written would be committed, whatever happens afterwards. The
    next statement begins a transaction in which nobody is named to row-level security.
    """
    await _commit(db)


async def _commit(db: AsyncSession) -> None:
    if db.in_transaction():
        await db.run_sync(commit_recorded, Base.metadata)
    if line := take_line(db):
        await line.end()


async def _undo(db: AsyncSession) -> None:
    line = take_line(db)
    await db.close()
    if line:
        await line.abandon()


def user_named(user_id: UUID | ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> ColumnElement[str]:
    """An item for a SELECT list that names the transaction's user to row-level security, without a statement more."""
    return _named("app.user_id", user_id)


def organization_named(organization_id: UUID | ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> ColumnElement[str]:
    """An item for a SELECT list that names the transaction's organization to row-level security."""
    return _named("app.organization_id", organization_id)


def _named(setting: str, value: UUID | ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> ColumnElement[str]:
    as_text = str(value) if isinstance(value, UUID) else cast(value, Text)
    return func.set_config(setting, as_text, True)


async def name_organization(db: AsyncSession, organization_id: UUID) -> None:
    """Name the organization whose rows the rest of the transaction may see and write."""
    await db.execute(select(organization_named(organization_id)))


@asynccontextmanager
async def system_scope(db: AsyncSession) -> AsyncIterator[None]:
    """Work across organizations (workers, staff, sign-up): row-level security lets everything pass until the end.

    What was added inside is written inside: flushing it after the end would be refused.
    """
    if db.info.get("is_system"):
        yield
        return
    db.info["is_system"] = True
    try:
        await db.execute(select(func.set_config("app.system", "on", True)))
        yield
        await db.flush()
    finally:
        db.info["is_system"] = False
        # In a failed transaction this statement fails too, and the rollback takes the setting back.
        with suppress(SQLAlchemyError):
            await db.execute(select(func.set_config("app.system", "", True)))
