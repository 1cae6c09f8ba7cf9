"""What this feature writes to people."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute
from app.tokens.models import PersonalToken


async def send_token_created(db: AsyncSession, settings: Settings, user: User, token: PersonalToken) -> None:
    """The notice that a program can act for the person from now on, in case it was not they who made the token."""
    context = {
        "name": user.name,
        "token_name": token.name,
        "scopes": ", ".join(token.scopes),
        "expires_on": token.expires_at.date().isoformat(),
        "tokens_url": absolute(settings, "/account/tokens"),
    }
    await _send(db, settings, user, "token_created", context)


async def send_token_leaked(db: AsyncSession, settings: Settings, token: PersonalToken, *, place: str) -> None:
    """The notice that a token was found in public and works no more. Needs the token's person to be loaded."""
    context = {
        "name": token.user.name,
        "token_name": token.name,
        "ending": token.ending,
        "found_at": place,
        "activity_url": absolute(settings, "/account/activity"),
    }
    await _send(db, settings, token.user, "token_leaked", context)


async def _send(db: AsyncSession, settings: Settings, user: User, template: str, context: dict[str, str]) -> None:
    await send(db, settings=settings, to=user.email, template=f"tokens/{template}", context=context, locale=user.locale)
