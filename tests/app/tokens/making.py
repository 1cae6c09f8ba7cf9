"""Tokens for tests, made through the real action."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import Settings
from app.tokens import actions
from app.tokens.models import PersonalToken
from app.tokens.scopes import all_scopes


async def add_token(
    db: AsyncSession,
    settings: Settings,
    user: User,
    *,
    scopes: Sequence[str] | None = None,
    name: str = "Backup",
    days: int = 90,
) -> tuple[PersonalToken, str]:
    """A token of a person, with all scopes unless some are named; the second value is what a program sends."""
    return await actions.create_token(
        db,
        settings,
        user,
        name=name,
        scopes=list(all_scopes()) if scopes is None else scopes,
        lifetime=timedelta(days=days),
        facts=RequestFacts(),
    )


def bearer(secret: str) -> dict[str, str]:
    """The header that a program sends."""
    return {"authorization": f"Bearer {secret}"}
