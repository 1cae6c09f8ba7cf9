"""Who waits, and who has been let in."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.sessions import hash_token
from app.waitlist.models import WaitlistEntry


async def find_invited(db: AsyncSession, token: str) -> WaitlistEntry | None:
    """Whoever a mailed link lets in, while it works."""
    statement = select(WaitlistEntry).where(WaitlistEntry.token_hash == hash_token(token))
    return await db.scalar(statement.where(WaitlistEntry.expires_at > clock.now()))
