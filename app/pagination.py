"""Lists in pages: what follows a position in a stable order, which stays quick and right however long the list is.

A cursor is such a position, signed. Nobody but us can write one, and one of another list, or of another organization's,
is refused like any other that we did not write.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar, TypeVarTuple
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError, to_json
from sqlalchemy import ColumnElement, Integer, Select, Uuid, bindparam, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.config import current_settings
from app.reads import Read
from core.problems import InvalidInput
from core.requests import HTTPConnection, Request
from core.responses import Response

RowT = TypeVar("RowT")
Columns = TypeVarTuple("Columns")

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 100
PAGING_HEADERS = {"Link": 'The address of the next page, as `<…>; rel="next"` (RFC 8288). Missing on the last page.'}

SortKey = datetime | date | int | str

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER_BYTES = 8
_ID_BYTES = 16
_SIGNATURE_BYTES = 16
_LONGEST_CURSOR = 580  # A name of a hundred characters, four bytes each, with an id and a signature, in base64.


def _decimal(value: object) -> object:
    """pydantic would also read " 7", "7.0" and "0_7" as seven."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("int_parsing", "Input should be a whole number in decimal digits.")
    return value


class PageQuery(BaseModel):
    """Which part of a list a client asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[
        int, Field(ge=1, le=LARGEST_LIMIT, description="How many entries at most."), BeforeValidator(_decimal)
    ] = DEFAULT_LIMIT
    cursor: Annotated[
        str | None, Field(max_length=_LONGEST_CURSOR, description="`next_cursor` of the page before.")
    ] = None


@dataclass(frozen=True)
class Position:
    """A place in a list that is sorted by a key (mostly a time) and, where that is the same, by an id."""

    key: SortKey
    id: UUID


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """Some rows of a list, and the cursor of what follows them; None at the end."""

    rows: Sequence[RowT]
    next_cursor: str | None


class Pager:
    """The pages of one list, for one connection. `name` says which list it is, and whose."""

    def __init__(self, connection: HTTPConnection, query: PageQuery, name: str) -> None:
        self._key = current_settings(connection).key("cursor")
        self._name = name
        self._size = query.limit
        # One row more than the page shows whether there is another page.
        self.limit = query.limit + 1
        self.after = self._read(query.cursor) if query.cursor is not None else None

    def page(self, rows: Sequence[RowT], position: Callable[[RowT], Position]) -> Page[RowT]:
        """The page of rows that a query found with this pager's `after` and `limit`."""
        shown = rows[: self._size]
        return Page(shown, self._write(position(shown[-1])) if len(rows) > self._size else None)

    def _write(self, position: Position) -> str:
        content = position.id.bytes + _key_as_bytes(position.key)
        return base64.urlsafe_b64encode(content + self._signature(content)).decode().rstrip("=")

    def _read(self, cursor: str) -> Position:
        """Raises InvalidInput for a cursor that was not written for this list."""
        try:
            signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            signed = b""
        content, signature = signed[:-_SIGNATURE_BYTES], signed[-_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(content)):
            detail = "Leave it out to begin, or send `next_cursor` of the page before."
            raise InvalidInput([{"in": "query", "pointer": "#/cursor", "code": "cursor", "detail": detail}])
        return Position(_key_from_bytes(content[_ID_BYTES:]), UUID(bytes=content[:_ID_BYTES]))

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, self._name.encode() + b"\0" + content, hashlib.sha256)[:_SIGNATURE_BYTES]


def _key_as_bytes(key: SortKey) -> bytes:
    """A letter for the kind of key, then the key. A datetime is a date too, so that it is asked for first."""
    match key:
        case str():
            return b"s" + key.encode()
        case datetime():
            return b"t" + ((key - _EPOCH) // timedelta(microseconds=1)).to_bytes(_NUMBER_BYTES, signed=True)
        case date():
            return b"d" + key.toordinal().to_bytes(_NUMBER_BYTES)
        case int():
            return b"n" + key.to_bytes(_NUMBER_BYTES, signed=True)


def _key_from_bytes(content: bytes) -> SortKey:
    kind, value = content[:1], content[1:]
    match kind:
        case b"s":
            return value.decode()
        case b"t":
            return _EPOCH + timedelta(microseconds=int.from_bytes(value, signed=True))
        case b"d":
            return date.fromordinal(int.from_bytes(value))
        case _:
            return int.from_bytes(value, signed=True)


class Pages(Generic[*Columns]):
    """A list in pages, as two compiled reads: its beginning, and what follows a position in `order` (a key, then an id).

    A key is a column or an expression of one of the types of `SortKey`, never NULL: NULLs compare with nothing.
    """

    def __init__(
        self,
        statement: Select[*Columns],
        *relations: InstrumentedAttribute[Any],
        order: tuple[InstrumentedAttribute[Any] | ColumnElement[Any], InstrumentedAttribute[UUID]],  # Any: a SortKey.
        newest_first: bool = False,
    ) -> None:
        place = tuple_(*order)
        position = tuple_(bindparam("after_key", type_=order[0].type), bindparam("after_id", type_=Uuid()))
        ordered = statement.order_by(*(each.desc() if newest_first else each for each in order))
        part = ordered.limit(bindparam("limit", type_=Integer))
        self._first = Read(part, *relations)
        self._following = Read(part.where(place < position if newest_first else place > position), *relations)

    async def page(
        self, db: AsyncSession, after: Position | None, limit: int | None, **values: object
    ) -> list[tuple[*Columns]]:
        """At most `limit` rows after the position; all of them, from the beginning, where both are None."""
        if after is None:
            return await self._first.all(db, limit=limit, **values)
        return await self._following.all(db, limit=limit, after_key=after.key, after_id=after.id, **values)


def page_response(request: Request, body: BaseModel | Mapping[str, object], next_cursor: str | None) -> Response:
    """A page as JSON, with the address of the next one in its `Link` header.

    A page of rows that the database vouches for can be given as it is: making models of them costs more than writing them.
    """
    headers = {}
    if next_cursor is not None:
        following = request.url.include_query_params(cursor=next_cursor)
        headers["link"] = f'<{following.path}?{following.query}>; rel="next"'
    return Response(to_json(body), headers=headers, media_type="application/json")
