"""Nothing changes unseen: a transaction that changes what somebody decides about writes into the audit trail, or is refused.

A table whose rows are no decision of anybody says why in its `info`: `{"unrecorded": "Who has a page open …"}`. A single
statement says it in its execution options: `.execution_options(unrecorded="…")`. All others need an event.
"""

import re
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, event
from sqlalchemy.orm import Session

NOTED = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM|SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) "?(\w+)')
TRAIL = "audit_events"
WRITES = "writes"


class Unrecorded(Exception):
    """A transaction changed rows that somebody decides about, and told the audit trail nothing: call app.audit.actions.record."""


class Writes:
    """The tables that a transaction has written so far. What a savepoint takes back was never written."""

    def __init__(self) -> None:
        self._levels: list[tuple[str, set[str]]] = [("", set())]

    @property
    def tables(self) -> set[str]:
        """Those of the innermost savepoint that is open, or of the transaction."""
        return self._levels[-1][1]

    def begin(self, savepoint: str) -> None:
        self._levels.append((savepoint, set()))

    def end(self, savepoint: str, *, keep: bool) -> None:
        """Close this savepoint, with those inside it that are still open."""
        name, inside = "", set[str]()
        while name != savepoint and len(self._levels) > 1:
            name, tables = self._levels.pop()
            inside |= tables
        if keep:
            self.tables.update(inside)


def watch(engine: Engine) -> None:
    """Note on each of the engine's connections what its transaction writes."""
    event.listen(engine, "begin", _begin)
    event.listen(engine, "after_cursor_execute", _note)


def commit_recorded(session: Session, metadata: MetaData) -> None:
    """Commit what the session has done. Raises Unrecorded if it changed what it must not change unseen."""
    session.flush()
    written = _writes(session.connection()).tables
    if TRAIL not in written and (unseen := [name for name in sorted(written) if _is_recorded(metadata, name)]):
        raise Unrecorded(f"{', '.join(unseen)} changed without an audit event: call app.audit.actions.record.")
    session.commit()


def _is_recorded(metadata: MetaData, table: str) -> bool:
    """Whether nothing of this table changes unseen; those of libraries are none of ours."""
    return table in metadata.tables and "unrecorded" not in metadata.tables[table].info


def _begin(connection: Connection) -> None:
    connection.info[WRITES] = Writes()


def _writes(connection: Connection) -> Writes:
    found: Writes = connection.info[WRITES]
    return found


def _note(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, is_many: bool
) -> None:  # Any: SQLAlchemy's event has no types.
    if found := NOTED.match(statement):
        verb, name = found.groups()
        writes = _writes(connection)
        if verb == "SAVEPOINT":
            writes.begin(name)
        elif "SAVEPOINT" in verb:
            writes.end(name, keep=verb.startswith("RELEASE"))
        # What found nothing to change has changed nothing; of many at once nobody knows how many did (-1).
        elif cursor.rowcount and "unrecorded" not in context.execution_options:
            writes.tables.add(name)
