"""What is known about connections."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from app.accounts.models import User
from app.connections.models import Identity
from app.connections.person import Person


async def find_identity(db: AsyncSession, person: Person) -> Identity | None:
    """The account elsewhere, with whom it stands for. Found by issuer and subject, never by an address."""
    statement = (
        select(Identity)
        .join(Identity.user)
        .outerjoin(User.primary_email)
        .options(contains_eager(Identity.user).contains_eager(User.primary_email))
        .where(Identity.issuer == person.issuer, Identity.subject == person.subject)
    )
    return (await db.scalars(statement)).one_or_none()


async def list_identities(db: AsyncSession, user: User) -> Sequence[Identity]:
    """A person's accounts elsewhere, those they connected first on top."""
    statement = select(Identity).where(Identity.user_id == user.id).order_by(Identity.id)
    return (await db.scalars(statement)).all()
