"""What this feature writes to people."""

from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.email.actions import send
from app.email.links import absolute


async def send_verification(db: AsyncSession, settings: Settings, *, to: str, token: str) -> None:
    """The link that proves an address.

    The name is left out: until the address is proved, a stranger chose it, and would write what they like in our name.
    """
    url = _link(settings, "/verify-email", token)
    await send(db, settings=settings, to=to, template="accounts/verify_email", context={"url": url})


async def send_already_registered(db: AsyncSession, settings: Settings, *, to: str) -> None:
    """To somebody who signed up with an address that has an account: only the owner of the mailbox learns that."""
    urls = {"log_in_url": absolute(settings, "/log-in"), "reset_url": absolute(settings, "/forgot-password")}
    await send(db, settings=settings, to=to, template="accounts/already_registered", context=urls)


async def send_password_reset(db: AsyncSession, settings: Settings, *, to: str, name: str, token: str) -> None:
    """The link that sets a new password."""
    url = _link(settings, "/reset-password", token)
    await send(db, settings=settings, to=to, template="accounts/reset_password", context={"name": name, "url": url})


async def send_unknown_address(db: AsyncSession, settings: Settings, *, to: str) -> None:
    """To an address without an account for which a new password was asked: its owner may have another address here."""
    context = {"sign_up_url": absolute(settings, "/sign-up")}
    await send(db, settings=settings, to=to, template="accounts/unknown_address", context=context)


async def send_password_changed(db: AsyncSession, settings: Settings, *, to: str, name: str) -> None:
    """The notice that a password is another one now, in case it was not the owner who changed it."""
    context = {"name": name, "reset_url": absolute(settings, "/forgot-password")}
    await send(db, settings=settings, to=to, template="accounts/password_changed", context=context)


def _link(settings: Settings, path: str, token: str) -> str:
    return absolute(settings, f"{path}?{urlencode({'token': token})}")
