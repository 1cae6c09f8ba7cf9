"""What this feature writes to people."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.links import mailed_url
from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute


async def send_log_in(db: AsyncSession, settings: Settings, user: User, *, to: str, token: str, code: str) -> None:
    """A link that logs in, and a code for who reads this on another device.

    The name is left out: an address that nobody has proved yet may carry one that a stranger chose.
    """
    context = {"url": mailed_url(settings, "/log-in/code/link", token), "code": code}
    await send(db, settings=settings, to=to, template="codes/log_in", context=context, locale=user.locale)


async def send_unknown_address(db: AsyncSession, settings: Settings, *, to: str) -> None:
    """To an address without an account with which somebody wanted to log in: its owner may have another address here."""
    context = {"sign_up_url": absolute(settings, "/sign-up")}
    await send(db, settings=settings, to=to, template="codes/unknown_address", context=context)
