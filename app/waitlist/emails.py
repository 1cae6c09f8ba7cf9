"""What this feature writes to people."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.email.actions import send
from app.email.links import absolute


async def send_joined(db: AsyncSession, settings: Settings, *, to: str) -> None:
    """The note that an address is on the list."""
    await send(db, settings=settings, to=to, template="waitlist/joined", context={})


async def send_invited(db: AsyncSession, settings: Settings, *, to: str, token: str) -> None:
    """The link that lets somebody sign up."""
    url = absolute(settings, f"/waitlist/{token}")
    await send(db, settings=settings, to=to, template="waitlist/invited", context={"url": url})
