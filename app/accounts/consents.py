"""What people agreed to, and when: rows that are added and never changed."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Consent, User
from app.audit.models import RequestFacts
from app.terms import TERMS_VERSION


async def accept_terms(db: AsyncSession, user: User, *, facts: RequestFacts) -> None:
    """Note that a person accepts the terms as they are now. Every way of becoming a person here calls it."""
    db.add(Consent(user_id=user.id, policy="terms", version=TERMS_VERSION, ip=facts.ip))
    await db.execute(update(User).where(User.id == user.id).values(terms_version=TERMS_VERSION))
