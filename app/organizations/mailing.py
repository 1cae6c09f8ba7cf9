"""Writing to a person about an organization, for every feature that does."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.organizations.models import Organization


async def send_about(
    db: AsyncSession, settings: Settings, user: User, template: str, organization: Organization, **values: str
) -> None:
    """Send a message in the person's language, else in the organization's; to somebody without a confirmed address, none."""
    if user.email:
        await send(
            db,
            settings=settings,
            to=user.email,
            template=template,
            context={"name": user.name, "organization": organization.name, **values},
            locale=user.locale or organization.locale,
        )
