"""What this feature writes to people."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.links import mailed_url
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute


async def send_password_reset(db: AsyncSession, settings: Settings, *, to: str, name: str, token: str) -> None:
    """The link that sets a new password."""
    url = mailed_url(settings, "/reset-password", token)
    await send(db, settings=settings, to=to, template="passwords/reset_password", context={"name": name, "url": url})


async def send_unknown_address(db: AsyncSession, settings: Settings, *, to: str) -> None:
    """To an address without an account for which a new password was asked: its owner may have another address here."""
    context = {"sign_up_url": absolute(settings, "/sign-up")}
    await send(db, settings=settings, to=to, template="passwords/unknown_address", context=context)


async def send_first_password(db: AsyncSession, settings: Settings, *, to: str, name: str, token: str) -> None:
    """The link that sets the first password of somebody who has logged in without one so far."""
    url = mailed_url(settings, "/reset-password", token)
    await send(db, settings=settings, to=to, template="passwords/first_password", context={"name": name, "url": url})


async def send_password_changed(db: AsyncSession, settings: Settings, *, to: str, name: str) -> None:
    """The notice that a password is another one now, in case it was not the owner who changed it."""
    context = {"name": name, "reset_url": absolute(settings, "/forgot-password")}
    await send(db, settings=settings, to=to, template="passwords/password_changed", context=context)
