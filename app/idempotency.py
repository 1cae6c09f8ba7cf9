"""Requests that programs may safely send again: one `Idempotency-Key`, one effect, the same answer for a day.

    async def create_project(scope: …, db: Db, once: Once, project: …) -> Annotated[ProjectOut | Response, Status(201)]:
        if once.earlier is not None:
            return once.earlier
        …
        return await once.keep(response)

The key is a row of the request's own transaction. A second request with it waits for the first to end: if that committed, it
gets its answer; if that was rolled back, it is the first. There is no state between the two that a crash could leave behind.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ForeignKey, LargeBinary, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Db, Tenant
from app.errors import Refusal
from app.language import N_
from core.params import Depends, Header
from core.requests import Request
from core.responses import Response

KEPT = timedelta(hours=24)
KEPT_HEADERS = ("etag", "location")
QUERY_CANCELED = "57014"  # PostgreSQL's code for a statement that took, or here waited, too long.
REFUSALS = {409: "A request with this key is still being answered."}


class KeyOfAnotherRequest(Refusal):
    """The key came with another request before."""

    def __init__(self) -> None:
        super().__init__(N_("This Idempotency-Key was used for another request. Choose a new one."))


class StillBeingAnswered(Refusal):
    """The first request with this key takes longer than anybody waits."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("A request with this Idempotency-Key is still being answered. Try again later."))


class IdempotencyKey(Tenant, Base):
    """A request that came with a key, and its answer. One person's keys in one organization are no one else's."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        {"info": {"unrecorded": "What a program was answered is kept so that asking again does nothing twice."}},
    )

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-3
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, sort_order=-2, index=True
    )
    key: Mapped[str] = mapped_column(primary_key=True, sort_order=-1)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Sending:
    """One sending of a request. `earlier` is the answer to an earlier one; without a key there is none, and none is kept."""

    def __init__(self, db: AsyncSession, identity: Mapping[str, Any] | None, earlier: Response | None = None) -> None:
        self._db = db
        self._identity = identity
        self.earlier = earlier

    async def keep(self, response: Response) -> Response:
        """Keep the answer for whoever sends the request again; gives it back."""
        if self._identity is not None:
            headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
            kept = {"status": response.status_code, "headers": headers, "body": bytes(response.body)}
            statement = update(IdempotencyKey).filter_by(**self._identity).values(**kept)
            await self._db.execute(statement.execution_options(synchronize_session=False))
        return response


async def this_sending(
    request: Request,
    db: Db,
    idempotency_key: Annotated[
        str | None,
        Header(description="Sent again with the same key within a day, the request has no second effect."),
        Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$"),
    ] = None,
) -> Sending:
    """Claim the request's key. Behind the parameter that holds the scope, which says whose key it is.

    Raises KeyOfAnotherRequest and StillBeingAnswered.
    """
    if idempotency_key is None:
        return Sending(db, None)
    scope = request.state.scope
    identity = {"organization_id": scope.organization.id, "user_id": scope.user.id, "key": idempotency_key}
    digest = await _digest(request)
    if await _claim(db, identity, digest):
        return Sending(db, identity)
    kept = await _kept(db, identity)
    if kept.request_hash != digest:
        raise KeyOfAnotherRequest
    answer = Response(kept.body, kept.status, {**kept.headers, "content-type": "application/json"})
    return Sending(db, None, earlier=answer)


Once = Annotated[Sending, Depends(this_sending)]


async def forget_keys(db: AsyncSession) -> int:
    """Delete the keys that are over, of all organizations (within `system_scope`); returns how many."""
    expired = delete(IdempotencyKey).where(IdempotencyKey.expires_at <= clock.now()).returning(IdempotencyKey.key)
    return len((await db.scalars(expired.execution_options(synchronize_session=False))).all())


async def _digest(request: Request) -> bytes:
    head = f"{request.method}\0{request.url.path}\0".encode()
    return hashlib.sha256(head + await request.body()).digest()


async def _claim(db: AsyncSession, identity: Mapping[str, Any], digest: bytes) -> bool:
    """Whether this request is the first with its key. Waits while another one with it is being answered."""
    now = clock.now()
    fresh = {"request_hash": digest, "status": None, "headers": None, "body": None, "expires_at": now + KEPT}
    statement = insert(IdempotencyKey).values(**identity, **fresh)
    statement = statement.on_conflict_do_update(
        index_elements=list(identity), set_=fresh, where=IdempotencyKey.expires_at <= now
    )
    try:
        return await db.scalar(statement.returning(IdempotencyKey.key)) is not None
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != QUERY_CANCELED:
            raise
        raise StillBeingAnswered from None


async def _kept(db: AsyncSession, identity: Mapping[str, Any]) -> Row[Any]:  # Any: the row's five columns.
    columns = (IdempotencyKey.request_hash, IdempotencyKey.status, IdempotencyKey.headers, IdempotencyKey.body)
    return (await db.execute(select(*columns).filter_by(**identity))).one()
