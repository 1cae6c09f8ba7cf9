"""What is forgotten about tokens, and when."""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.tokens.models import PersonalToken

MEMORY = timedelta(days=90)


async def forget_tokens(db: AsyncSession) -> int:
    """Delete tokens that have been revoked or over for long; returns how many."""
    over_since = func.least(PersonalToken.expires_at, PersonalToken.revoked_at)
    over = delete(PersonalToken).where(over_since < clock.now() - MEMORY).returning(PersonalToken.id)
    gone = await db.scalars(over.execution_options(unrecorded="These have been over for months."))
    return len(gone.all())
