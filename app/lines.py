"""The connection that a session's compiled reads run on: `app.reads` asks here, `app.database` ends what began here.

A request that only reads has no use for the ORM's transaction, whose beginning and end cost several times what the
database does. So a session's first read takes a connection and begins a transaction by itself. The ORM's session joins it
with its own first statement; if that came first, the reads join the ORM's.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import SessionTransaction

from app.outages import is_silent

Result = TypeVar("Result")
Record = Sequence[Any]  # Any: what the driver made of a column, whatever its type.

_LINE = "app.lines.line"  # Where a session's `info` keeps it.
DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's dialects have no annotations.


class Line:
    """A session's connection, and asyncpg's connection under it."""

    def __init__(self, connection: AsyncConnection, joined: SessionTransaction | None = None) -> None:
        """`joined` is the ORM's transaction, if the reads joined that; else the line's transaction is its own."""
        assert connection.sync_connection is not None
        self._connection = connection
        self._sync_connection: Connection = connection.sync_connection
        # Asked for in the way of synchronous code, since there is nothing to wait for.
        self._raw: Any = self._sync_connection.connection.dbapi_connection  # Any: the adapter has no public type.
        self.joined = joined

    @property
    def engine(self) -> AsyncEngine:
        return self._connection.engine

    async def fetch(self, sql: str, arguments: Sequence[object]) -> Sequence[Record]:
        """Run a statement with asyncpg, as SQLAlchemy would: its transaction, its listeners, its errors."""
        for listener in self._sync_connection.engine.dispatch.before_cursor_execute:
            listener(self._sync_connection, None, sql, arguments, None, False)
        return await self._undisturbed(sql, self._fetch, sql, arguments)

    async def end(self) -> None:
        """Commit what is open and give the connection back."""
        try:
            if self._raw._transaction is not None and not self._sync_connection.invalidated:
                await self._undisturbed("COMMIT", self._raw._call_and_discard, self._raw._transaction.commit)
        finally:
            await self.abandon()

    async def abandon(self) -> None:
        """Undo what is open and give the connection back; one that the pool has no place for is closed."""
        await self._connection.close()

    async def _fetch(self, sql: str, arguments: Sequence[object]) -> Sequence[Record]:
        if self._raw._transaction is None:
            await self._raw._start_transaction()
        records: Sequence[Record] = await self._raw._connection.fetch(sql, *arguments)
        return records

    async def _undisturbed(self, sql: str, action: Callable[..., Awaitable[Result]], *values: object) -> Result:
        """Do one thing at a time on the connection: `action`, which runs `sql`. What fails is told as the ORM would."""
        async with self._raw._execute_mutex:
            try:
                return await action(*values)
            except Exception as error:
                if is_silent(error):
                    self._raw._connection.terminate()  # As app.database does for the ORM's statements.
                failure = self._translated(error, sql)
                if self._raw._connection.is_closed():
                    self._sync_connection.invalidate(failure)
                raise failure from error
            except BaseException as error:
                # Cancelled in the middle of something. If that was BEGIN, asyncpg has a transaction that SQLAlchemy knows
                # nothing of, and whoever got the connection next would commit a savepoint inside it: nobody may get it.
                self._sync_connection.invalidate(error)
                raise

    def _translated(self, error: Exception, sql: str) -> BaseException:
        kind: type[Exception] = self._raw.dbapi.Error
        try:
            self._raw._handle_exception(error)
        except kind as known:
            gone: bool = self._raw._connection.is_closed()
            return DBAPIError.instance(
                sql, None, known, kind, hide_parameters=True, connection_invalidated=gone, dialect=DIALECT
            )
        except Exception as other:
            return other
        return error


async def line_of(db: AsyncSession) -> Line:
    """The session's line. It is kept: asking SQLAlchemy each time costs as much as a small statement."""
    line: Line | None = db.info.get(_LINE)
    if line is not None and (line.joined is None or line.joined is db.sync_session.get_transaction()):
        return line
    line = db.info[_LINE] = await _begin(db) if _may_begin(db) else await _join(db)
    return line


def take_line(db: AsyncSession) -> Line | None:
    """The line whose transaction is its own, for whoever ends it; the session goes on without it."""
    line: Line | None = db.info.pop(_LINE, None)
    if line is None or line.joined is not None:
        return None
    db.bind = line.engine
    return line


def _may_begin(db: AsyncSession) -> bool:
    """Not if the ORM was first, nor for a session that was given a connection."""
    return isinstance(db.bind, AsyncEngine) and not db.sync_session.in_transaction()


async def _begin(db: AsyncSession) -> Line:
    assert isinstance(db.bind, AsyncEngine)
    connection = await db.bind.connect()
    db.bind = connection  # The ORM's own statements then join.
    return Line(connection)


async def _join(db: AsyncSession) -> Line:
    return Line(await db.connection(), db.sync_session.get_transaction())
