"""What this feature writes to people."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.links import mailed_url
from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute


async def send_password_reset(db: AsyncSession, settings: Settings, user: User, *, to: str, token: str) -> None:
    """The link that sets a new password."""
    url = mailed_url(settings, "/reset-password", token)
    await _send(db, settings, user, "reset_password", to=to, context={"url": url})


async def send_unknown_address(db: AsyncSession, settings: Settings, *, to: str) -> None:
    """To an address without an account for which a new password was asked: its owner may have another address here."""
    context = {"sign_up_url": absolute(settings, "/sign-up")}
    await send(db, settings=settings, to=to, template="passwords/unknown_address", context=context)


async def send_first_password(db: AsyncSession, settings: Settings, user: User, *, to: str, token: str) -> None:
    """The link that sets the first password of somebody who has logged in without one so far."""
    url = mailed_url(settings, "/reset-password", token)
    await _send(db, settings, user, "first_password", to=to, context={"url": url})


async def send_password_changed(db: AsyncSession, settings: Settings, user: User, *, to: str) -> None:
    """The notice that a password is another one now, in case it was not the owner who changed it."""
    context = {"reset_url": absolute(settings, "/forgot-password")}
    await _send(db, settings, user, "password_changed", to=to, context=context)


async def _send(
    db: AsyncSession, settings: Settings, user: User, template: str, *, to: str, context: dict[str, str]
) -> None:
    words = {"name": user.name, **context}
    await send(db, settings=settings, to=to, template=f"passwords/{template}", context=words, locale=user.locale)
