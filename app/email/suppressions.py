"""Addresses to which nothing is sent any more: they do not exist, or their owners called us spam."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.email.models import Suppression, SuppressionReason
from app.ids import uuid7
from core.exceptions import HTTPException

LONGEST_DETAIL = 300


async def suppress(db: AsyncSession, *, address: str, reason: SuppressionReason, provider: str, detail: str) -> None:
    """Send nothing more to the address. The first reason stays."""
    new = insert(Suppression).values(
        id=uuid7(),
        created_at=clock.now(),
        address=address,
        reason=reason,
        provider=provider,
        detail=detail[:LONGEST_DETAIL],
    )
    is_open = text("released_at IS NULL")
    first = new.on_conflict_do_nothing(index_elements=[func.lower(text("address"))], index_where=is_open)
    await db.execute(first.execution_options(unrecorded="What the provider told us is kept as it came."))


async def is_suppressed(db: AsyncSession, address: str) -> bool:
    statement = select(Suppression.id).where(
        func.lower(Suppression.address) == address.lower(), Suppression.released_at.is_(None)
    )
    return await db.scalar(statement) is not None


async def list_suppressions(db: AsyncSession, *, search: str = "", limit: int = 100) -> Sequence[Suppression]:
    """Who is on the list now, the latest first; with `search` those whose address contains it."""
    statement = select(Suppression).where(Suppression.released_at.is_(None))
    if search:
        statement = statement.where(func.lower(Suppression.address).contains(search.lower(), autoescape=True))
    return (
        await db.scalars(statement.order_by(Suppression.created_at.desc(), Suppression.id.desc()).limit(limit))
    ).all()


async def release(db: AsyncSession, suppression_id: UUID) -> Suppression:
    """Take an address off the list. Returns the entry, or raises a 404 if there is none (any more)."""
    statement = update(Suppression).where(Suppression.id == suppression_id, Suppression.released_at.is_(None))
    found: Suppression | None = await db.scalar(statement.values(released_at=clock.now()).returning(Suppression))
    if found is None:
        raise HTTPException(404)
    return found
