"""Telling members what another member did that concerns them."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.notifications.actions import notify
from app.notifications.kinds import Kind
from app.organizations.models import Scope


async def notify_member(db: AsyncSession, kind: Kind, scope: Scope, user_id: UUID) -> None:
    """Tell a person, where they want to be told, what the scope's member did."""
    organization = scope.organization
    await notify(
        db,
        kind,
        user_id,
        actor=scope.user,
        organization_id=organization.id,
        data={"organization": organization.name, "slug": organization.slug},
        group_key=f"{kind.name}:{organization.id}",
    )
