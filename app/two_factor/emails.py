"""What this feature writes to people: every change of what lets them in, in case it was somebody else."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute
from app.two_factor.recovery_codes import FEW


async def send_second_factor_on(db: AsyncSession, settings: Settings, user: User, *, kind: str) -> None:
    """An authenticator app was set up, or a first passkey: a password alone does not let this person in any more."""
    await _send(db, settings, user, "second_factor_on", kind=kind)


async def send_second_factor_off(db: AsyncSession, settings: Settings, user: User, *, kind: str, is_last: bool) -> None:
    """The authenticator app was removed, or the last second factor, whichever it was."""
    await _send(db, settings, user, "second_factor_off", kind=kind, is_last=is_last)


async def send_passkey_added(db: AsyncSession, settings: Settings, user: User, *, passkey_name: str) -> None:
    """Somebody can log in with one passkey more."""
    await _send(db, settings, user, "passkey_added", passkey_name=passkey_name)


async def send_passkey_removed(db: AsyncSession, settings: Settings, user: User, *, passkey_name: str) -> None:
    """A passkey lets nobody in any more."""
    await _send(db, settings, user, "passkey_removed", passkey_name=passkey_name)


async def send_recovery_code_used(db: AsyncSession, settings: Settings, user: User, *, left: int) -> None:
    """A recovery code was used; with few left, the message asks for new ones."""
    await _send(db, settings, user, "recovery_code_used", left=left, is_short=left <= FEW)


async def send_recovery_codes_replaced(db: AsyncSession, settings: Settings, user: User) -> None:
    """There are new recovery codes, and the old ones work no more."""
    await _send(db, settings, user, "recovery_codes_replaced")


async def _send(db: AsyncSession, settings: Settings, user: User, template: str, **context: object) -> None:
    shared = {"name": user.name, "url": absolute(settings, "/account/two-factor")}
    await send(db, settings=settings, to=user.email, template=f"two_factor/{template}", context={**shared, **context})
