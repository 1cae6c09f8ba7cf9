"""What this feature writes to people."""

from datetime import datetime
from urllib.parse import urlencode

import babel.dates
from sqlalchemy.ext.asyncio import AsyncSession

from app import language
from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute


async def send_export_ready(db: AsyncSession, settings: Settings, user: User) -> None:
    """The note that a copy of the person's data can be downloaded; the link needs their session."""
    await _send(db, settings, user, "export_ready", {"url": absolute(settings, "/account/export")})


async def send_deletion_scheduled(
    db: AsyncSession, settings: Settings, user: User, *, delete_at: datetime, token: str
) -> None:
    """When the account will be deleted, and the link that keeps it."""
    with language.speaking(user.locale):
        day = babel.dates.format_date(delete_at, "long", locale=language.locale())
    url = absolute(settings, f"/account/keep?{urlencode({'token': token})}")
    await _send(db, settings, user, "deletion_scheduled", {"url": url, "day": day})


async def send_deletion_done(db: AsyncSession, settings: Settings, user: User) -> None:
    """The last message: everything is deleted."""
    await _send(db, settings, user, "deletion_done", {})


async def _send(db: AsyncSession, settings: Settings, user: User, template: str, context: dict[str, str]) -> None:
    if not user.email:
        return
    named = context if template == "deletion_done" else {"name": user.name, **context}
    await send(db, settings=settings, to=user.email, template=f"privacy/{template}", context=named, locale=user.locale)
