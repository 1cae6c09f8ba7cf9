"""The logo of an organization. It is deleted with the organization, as all that belongs to it."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import RequestFacts
from app.database import system_scope
from app.organizations.models import Logo, Scope
from app.organizations.recording import note
from app.pictures import picture_values


async def find_logo(db: AsyncSession, organization_id: UUID, digest: str) -> Logo | None:
    """An organization's logo, if it is still this one: who knows the digest was shown it, a member or not."""
    statement = select(Logo).where(Logo.organization_id == organization_id, Logo.digest == digest)
    async with system_scope(db):
        return await db.scalar(statement)


async def set_logo(db: AsyncSession, scope: Scope, picture: bytes, *, facts: RequestFacts) -> None:
    """Give the organization a logo, which `app.pictures.cut_out` has made."""
    logo = Logo(organization_id=scope.organization.id, **picture_values(scope.organization.id, picture))
    await db.merge(logo)
    scope.organization.logo_digest = logo.digest
    await note(db, "organizations.logo_set", scope.organization, scope.user, facts)


async def remove_logo(db: AsyncSession, scope: Scope, *, facts: RequestFacts) -> None:
    """Show the organization's initials again."""
    if scope.organization.logo_digest is None:
        return
    await db.execute(delete(Logo).where(Logo.organization_id == scope.organization.id))
    scope.organization.logo_digest = None
    await note(db, "organizations.logo_removed", scope.organization, scope.user, facts)
