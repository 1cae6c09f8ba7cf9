"""What this feature writes to people: every change of what lets them in, in case it was somebody else."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute


async def send_connected(db: AsyncSession, settings: Settings, user: User, *, provider: str, account: str) -> None:
    """An account elsewhere can log this person in from now on."""
    await _send(db, settings, user, "connected", provider, account)


async def send_disconnected(db: AsyncSession, settings: Settings, user: User, *, provider: str, account: str) -> None:
    """An account elsewhere logs this person in no more."""
    await _send(db, settings, user, "disconnected", provider, account)


async def _send(db: AsyncSession, settings: Settings, user: User, name: str, provider: str, account: str) -> None:
    context = {
        "name": user.name,
        "provider": provider,
        "account": account,
        "connections_url": absolute(settings, "/account/connections"),
    }
    template = f"connections/{name}"
    await send(db, settings=settings, to=user.email, template=template, context=context, locale=user.locale)
