"""The logo of an organization. It is deleted with the organization, as all that belongs to it."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import RequestFacts
from app.config import current_settings
from app.database import system_scope
from app.email.links import absolute
from app.organizations.models import Logo, Organization, Scope
from app.organizations.recording import note
from app.pages import path_of
from app.pictures import picture_values
from core.requests import HTTPConnection


def logo_url(connection: HTTPConnection, organization: Organization) -> str | None:
    """The full address of an organization's logo; None for one that has none. Whoever has the address may look at it."""
    digest = organization.logo_digest
    if digest is None:
        return None
    path = path_of(connection, "organizations.logo", organization_id=organization.id, digest=digest)
    return absolute(current_settings(connection), path)


async def find_logo(db: AsyncSession, organization_id: UUID, digest: str) -> Logo | None:
    """An organization's logo, if it is still this one: who knows the digest was shown it, a member or not."""
    statement = select(Logo).where(Logo.organization_id == organization_id, Logo.digest == digest)
    async with system_scope(db):
        return await db.scalar(statement)


async def set_logo(db: AsyncSession, scope: Scope, picture: bytes, *, facts: RequestFacts) -> None:
    """Give the organization a logo, which `app.pictures.cut_out` has made."""
    values = picture_values(scope.organization.id, picture)
    statement = insert(Logo).values(organization_id=scope.organization.id, **values)
    # Of two who give it one at the same moment the second's stays.
    await db.execute(statement.on_conflict_do_update(index_elements=["organization_id"], set_=values))
    scope.organization.logo_digest = str(values["digest"])
    await note(db, "organizations.logo_set", scope.organization, scope.user, facts)


async def remove_logo(db: AsyncSession, scope: Scope, *, facts: RequestFacts) -> None:
    """Show the organization's initials again."""
    if scope.organization.logo_digest is None:
        return
    await db.execute(delete(Logo).where(Logo.organization_id == scope.organization.id))
    scope.organization.logo_digest = None
    await note(db, "organizations.logo_removed", scope.organization, scope.user, facts)
