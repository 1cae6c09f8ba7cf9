"""What this feature writes to people."""

from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute


async def send_confirmation(db: AsyncSession, settings: Settings, user: User, *, to: str, token: str) -> None:
    """The link that proves an address. It names nobody: the address may be a stranger's who never asked for it."""
    await _send(db, settings, user, to, "confirm", {"url": _link(settings, "/account/emails/confirm", token)})


async def send_already_used(db: AsyncSession, settings: Settings, owner: User, *, to: str) -> None:
    """To somebody whose address another account tried to add: nobody else learns that the address has an account."""
    await _send(db, settings, owner, to, "already_used", {"name": owner.name})


async def send_added(db: AsyncSession, settings: Settings, user: User, *, to: str, address: str) -> None:
    """The notice that an account has another address now."""
    await _send(db, settings, user, to, "added", {"name": user.name, "address": address} | _addresses_page(settings))


async def send_primary_changed(
    db: AsyncSession, settings: Settings, user: User, *, to: str, address: str, token: str
) -> None:
    """To the former primary address, with the link that takes the change back."""
    url = _link(settings, "/account/emails/undo", token)
    await _send(db, settings, user, to, "primary_changed", {"name": user.name, "address": address, "url": url})


async def send_primary_is(db: AsyncSession, settings: Settings, user: User, *, to: str) -> None:
    """To the new primary address."""
    await _send(db, settings, user, to, "primary_is", {"name": user.name} | _addresses_page(settings))


async def send_removed(db: AsyncSession, settings: Settings, user: User, *, to: str, address: str) -> None:
    """The notice that an account has lost an address, to that address and to the primary one."""
    await _send(db, settings, user, to, "removed", {"name": user.name, "address": address} | _addresses_page(settings))


async def send_change_undone(db: AsyncSession, settings: Settings, user: User, *, to: str, address: str) -> None:
    """The notice that a change was taken back, and what to do next."""
    url = absolute(settings, "/forgot-password")
    await _send(db, settings, user, to, "change_undone", {"name": user.name, "address": address, "url": url})


async def _send(
    db: AsyncSession, settings: Settings, user: User, to: str, template: str, context: dict[str, str]
) -> None:
    await send(db, settings=settings, to=to, template=f"addresses/{template}", context=context, locale=user.locale)


def _addresses_page(settings: Settings) -> dict[str, str]:
    return {"url": absolute(settings, "/account/emails")}


def _link(settings: Settings, path: str, token: str) -> str:
    return absolute(settings, f"{path}?{urlencode({'token': token})}")
