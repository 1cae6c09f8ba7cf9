"""Deleting an organization: closed at once, kept for two weeks in case somebody thinks better of it, then erased."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import name_organization, system_scope
from app.errors import Refusal
from app.language import N_
from app.organizations import emails
from app.organizations.member_queries import list_owners
from app.organizations.members import PersonalStays
from app.organizations.models import Organization, OrganizationKind, Scope
from app.organizations.queries import list_closed
from app.organizations.recording import note

GRACE = timedelta(days=14)


class WrongName(Refusal):
    def __init__(self) -> None:
        super().__init__(N_("Type the organization's name exactly as it is written here."))


async def close_organization(
    db: AsyncSession, settings: Settings, scope: Scope, *, typed: str, facts: RequestFacts
) -> datetime:
    """Close the organization now and have it erased after two weeks; returns when. Raises WrongName and PersonalStays."""
    organization = scope.organization
    if organization.kind == OrganizationKind.PERSONAL:
        raise PersonalStays
    if typed.strip() != organization.name:
        raise WrongName
    delete_at = clock.now() + GRACE
    organization.status, organization.delete_at = "deleting", delete_at
    await db.flush()
    await note(db, "organizations.closed", organization, scope.user, facts, {"status": ["active", "deleting"]})
    for owner in await list_owners(db, organization.id):
        await emails.send_deletion_scheduled(db, settings, organization, owner, closed_by=scope.user)
    return delete_at


async def find_closed(db: AsyncSession, user: User, organization_id: UUID) -> Organization | None:
    """An organization that waits to be erased, for one of its owners."""
    return next((each for each in await list_closed(db, user) if each.id == organization_id), None)


async def keep_organization(
    db: AsyncSession, settings: Settings, user: User, organization: Organization, *, facts: RequestFacts
) -> None:
    """Take the deletion back, and tell the owners."""
    await name_organization(db, organization.id)
    organization.status, organization.delete_at = "active", None
    await db.flush()
    await note(db, "organizations.kept", organization, user, facts, {"status": ["deleting", "active"]})
    for owner in await list_owners(db, organization.id):
        await emails.send_deletion_cancelled(db, settings, organization, owner, kept_by=user)


async def list_due(db: AsyncSession) -> Sequence[UUID]:
    """The organizations whose time is over."""
    statement = select(Organization.id).where(Organization.delete_at <= clock.now())
    async with system_scope(db):
        return (await db.scalars(statement.order_by(Organization.delete_at))).all()


async def erase(db: AsyncSession, settings: Settings, organization_id: UUID) -> bool:
    """Delete an organization and everything in it, if its time is over; False otherwise.

    The audit trail keeps that something happened, without names, values or places.
    """
    async with system_scope(db):
        statement = select(Organization).where(Organization.id == organization_id).with_for_update()
        organization = await db.scalar(statement)
        if organization is None or organization.delete_at is None or organization.delete_at > clock.now():
            return False
        for owner in await list_owners(db, organization_id):
            await emails.send_deletion_done(db, settings, organization, owner)
        await db.execute(select(func.forget_person(organization_id, [organization_id])))
        gone = delete(Organization).where(Organization.id == organization_id)
        unset = update(User).where(User.current_organization_id == organization_id).values(current_organization_id=None)
        for each in (unset, gone):
            await db.execute(each.execution_options(synchronize_session=False))
        db.expunge(organization)
        await record(
            db,
            "organizations.erased",
            actor_id=None,
            target_type="organization",
            target_id=organization_id,
            request=RequestFacts(),
        )
    return True
