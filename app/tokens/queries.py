"""What is known about tokens. They are looked up by their hash."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, joinedload

from app import clock
from app.accounts.models import User
from app.accounts.sessions import hash_token
from app.database import user_named
from app.tokens.models import PersonalToken


async def find_token(db: AsyncSession, secret: str) -> PersonalToken | None:
    """The live token, with its person and their address loaded; None once it is revoked or over, or the person disabled.

    The same statement names the person to the database (`app.user_id`), which row-level security goes by afterwards.
    """
    statement = (
        select(PersonalToken, user_named(PersonalToken.user_id))
        .join(PersonalToken.user)
        .outerjoin(User.primary_email)
        .options(contains_eager(PersonalToken.user).contains_eager(User.primary_email))
        .where(
            PersonalToken.token_hash == hash_token(secret),
            PersonalToken.revoked_at.is_(None),
            PersonalToken.expires_at > clock.now(),
            User.status == "active",
        )
    )
    row = (await db.execute(statement)).one_or_none()
    return row[0] if row else None


async def list_tokens(db: AsyncSession, user: User) -> Sequence[PersonalToken]:
    """A person's tokens that are not revoked, the newest first, expired ones included."""
    statement = select(PersonalToken).where(PersonalToken.user_id == user.id, PersonalToken.revoked_at.is_(None))
    return (await db.scalars(statement.order_by(PersonalToken.id.desc()))).all()


async def list_by_hash(db: AsyncSession, hashes: Sequence[bytes]) -> Sequence[PersonalToken]:
    """The tokens of these hashes, whatever became of them, with their people and addresses."""
    statement = select(PersonalToken).where(PersonalToken.token_hash.in_(hashes))
    people = joinedload(PersonalToken.user).joinedload(User.primary_email)
    return (await db.scalars(statement.options(people))).all()


async def count_tokens(db: AsyncSession, user: User) -> int:
    """How many tokens a person has that are not revoked."""
    statement = select(func.count()).select_from(PersonalToken)
    return await db.scalar(statement.where(PersonalToken.user_id == user.id, PersonalToken.revoked_at.is_(None))) or 0
