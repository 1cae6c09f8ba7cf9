"""What this feature writes to people."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.email.actions import send


async def send_code(db: AsyncSession, settings: Settings, *, to: str, name: str, code: str) -> None:
    """The code that confirms who somebody is."""
    await send(db, settings=settings, to=to, template="identity/code", context={"name": name, "code": code})
