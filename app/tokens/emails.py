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
    template = "tokens/token_created"
    await send(db, settings=settings, to=user.email, template=template, context=context, locale=user.locale)
