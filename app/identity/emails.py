"""What this feature writes to people."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.email.actions import send


async def send_code(db: AsyncSession, settings: Settings, user: User, *, code: str) -> None:
    """The code that confirms who somebody is."""
    context = {"name": user.name, "code": code}
    await send(db, settings=settings, to=user.email, template="identity/code", context=context, locale=user.locale)
