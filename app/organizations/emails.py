"""What this feature writes to members and owners."""

import babel.dates
from sqlalchemy.ext.asyncio import AsyncSession

from app import language
from app.accounts.models import User
from app.config import Settings
from app.email.links import absolute
from app.organizations.custom_roles import role_of
from app.organizations.mailing import send_about
from app.organizations.models import Membership, Organization, Scope
from app.organizations.role_names import role_name
from app.time_zones import zone_named


async def send_role_changed(db: AsyncSession, settings: Settings, scope: Scope, member: Membership) -> None:
    with language.speaking(member.user.locale or scope.organization.locale):
        role = role_name(role_of(member))
    url = _address(settings, scope.organization)
    await _send(db, settings, member.user, "role_changed", scope.organization, who=scope.user.name, role=role, url=url)


async def send_removed(db: AsyncSession, settings: Settings, scope: Scope, member: Membership) -> None:
    await _send(db, settings, member.user, "removed", scope.organization, who=scope.user.name)


async def send_ownership_offered(db: AsyncSession, settings: Settings, scope: Scope, receiver: User) -> None:
    """The offer to whom it is for, and to the owner the note that it was made, in case it was somebody else."""
    organization, giver = scope.organization, scope.user
    url, danger = _address(settings, organization, "/ownership"), _address(settings, organization, "/danger")
    await _send(db, settings, receiver, "ownership_offered", organization, who=giver.name, url=url)
    await _send(db, settings, giver, "ownership_offer_sent", organization, receiver=receiver.name, url=danger)


async def send_ownership_withdrawn(db: AsyncSession, settings: Settings, scope: Scope, receiver: User) -> None:
    await _send(db, settings, receiver, "ownership_withdrawn", scope.organization, who=scope.user.name)


async def send_ownership_declined(db: AsyncSession, settings: Settings, scope: Scope, giver: User) -> None:
    url = _address(settings, scope.organization)
    await _send(db, settings, giver, "ownership_declined", scope.organization, who=scope.user.name, url=url)


async def send_ownership_accepted(
    db: AsyncSession, settings: Settings, scope: Scope, person: User, *, owner: User
) -> None:
    url = _address(settings, scope.organization)
    await _send(db, settings, person, "ownership_accepted", scope.organization, owner=owner.name, url=url)


async def send_deletion_scheduled(
    db: AsyncSession, settings: Settings, organization: Organization, owner: User, *, closed_by: User
) -> None:
    """When the organization will be erased, and the page where an owner can keep it."""
    with language.speaking(owner.locale or organization.locale):
        day = _day(organization, owner)
    url = absolute(settings, f"/organizations/{organization.id}/keep")
    await _send(db, settings, owner, "deletion_scheduled", organization, who=closed_by.name, day=day, url=url)


async def send_deletion_cancelled(
    db: AsyncSession, settings: Settings, organization: Organization, owner: User, *, kept_by: User
) -> None:
    url = _address(settings, organization)
    await _send(db, settings, owner, "deletion_cancelled", organization, who=kept_by.name, url=url)


async def send_deletion_done(db: AsyncSession, settings: Settings, organization: Organization, owner: User) -> None:
    await _send(db, settings, owner, "deletion_done", organization)


async def _send(
    db: AsyncSession, settings: Settings, user: User, template: str, organization: Organization, **values: str
) -> None:
    await send_about(db, settings, user, f"organizations/{template}", organization, **values)


def _day(organization: Organization, owner: User) -> str:
    """On which day the organization is erased, where the owner is."""
    zone = zone_named(owner.time_zone or organization.time_zone)
    at = organization.delete_at.astimezone(zone) if organization.delete_at else None
    return babel.dates.format_date(at, "long", locale=language.locale())


def _address(settings: Settings, organization: Organization, page: str = "") -> str:
    return absolute(settings, f"/o/{organization.slug}{page}")
