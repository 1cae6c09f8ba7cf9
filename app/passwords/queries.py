"""What is known about a person's password."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Password


async def find_password(db: AsyncSession, user_id: UUID) -> Password | None:
    """A person's password; None for somebody who logs in by other means only."""
    return (await db.scalars(select(Password).where(Password.user_id == user_id))).one_or_none()
