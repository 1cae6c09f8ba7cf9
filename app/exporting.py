"""What a feature hands over of a person's data: each may have an `export.py` with `export_person(db, user)`.

It returns lists of plain rows by name. Secrets (hashes, keys) stay out: they are not about the person, and would outlive the file.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.database import Base

Rows = dict[str, list[dict[str, Any]]]  # Any: whatever a column holds, as JSON says it.


async def rows_of(
    db: AsyncSession,
    owner: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None],
    user_id: UUID,
    *,
    without: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """The rows of a table whose column `owner` names the person, without the columns `without`."""
    model = owner.class_
    found: Sequence[Base] = (await db.scalars(select(model).where(owner == user_id))).all()
    return [row_as_json(row, without=without) for row in found]


def row_as_json(row: Base, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """A row's columns in words that JSON has; bytes are never among them."""
    left_out = {"user_id", *without}
    columns = [column.key for column in inspect(row).mapper.column_attrs if column.key not in left_out]
    values = {name: getattr(row, name) for name in columns}
    return {name: _plain(value) for name, value in values.items() if not isinstance(value, bytes)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
