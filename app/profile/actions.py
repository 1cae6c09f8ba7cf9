"""Changing how a person appears and likes the product."""

from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.pictures import picture_values
from app.profile.models import Avatar


async def update_profile(db: AsyncSession, user: User, *, facts: RequestFacts, **values: str | None) -> None:
    """Change a person's name, language, time zone or theme; what is the same already is not noted."""
    changes: dict[str, Any] = {  # Any: a column's value before and after.
        name: [getattr(user, name), value] for name, value in values.items() if getattr(user, name) != value
    }
    if not changes:
        return
    for name, (_, value) in changes.items():
        setattr(user, name, value)
    await record_by(db, "profile.updated", user, facts, changes=changes)


async def set_avatar(db: AsyncSession, user: User, picture: bytes, *, facts: RequestFacts) -> None:
    """Give a person a picture, which `app.pictures.cut_out` has made."""
    avatar = Avatar(user_id=user.id, **picture_values(user.id, picture))
    await db.merge(avatar)
    await _point_at(db, user, avatar.digest)
    await record_by(db, "profile.avatar_set", user, facts)


async def remove_avatar(db: AsyncSession, user: User, *, facts: RequestFacts) -> None:
    """Show a person's initials again."""
    await db.execute(delete(Avatar).where(Avatar.user_id == user.id))
    await _point_at(db, user, None)
    await record_by(db, "profile.avatar_removed", user, facts)


async def _point_at(db: AsyncSession, user: User, digest: str | None) -> None:
    await db.execute(update(User).where(User.id == user.id).values(avatar_digest=digest))
