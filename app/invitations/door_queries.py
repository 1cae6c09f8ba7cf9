"""Join links, and joining by domain: what an organization offers, and what somebody finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.accounts.models import Email, User
from app.accounts.sessions import hash_token
from app.database import system_scope
from app.invitations.models import Invitation, JoinDomain, JoinLink, JoinRequest
from app.invitations.queries import is_unanswered, list_verified
from app.organizations.models import CustomRole, Membership, MembershipStatus, Organization, Scope

MOST_LISTED = 100

# What gives people a role, and when it still does: an invitation that has expired may be sent again.
LIVE: Mapping[type[Invitation | JoinLink | JoinDomain], Sequence[ColumnElement[bool]]] = {
    Invitation: is_unanswered(),
    JoinLink: [JoinLink.revoked_at.is_(None)],
    JoinDomain: [],
}


@dataclass(frozen=True)
class Joinable:
    """An organization that somebody finds by the domain of their address. Its name is all that they see of it."""

    id: UUID
    name: str
    asks: bool
    is_requested: bool


async def list_links(db: AsyncSession, scope: Scope) -> Sequence[JoinLink]:
    """The links that are not revoked, the newest on top."""
    statement = select(JoinLink).where(JoinLink.organization_id == scope.organization.id, JoinLink.revoked_at.is_(None))
    return (await db.scalars(statement.order_by(JoinLink.created_at.desc()))).all()


async def find_own_link(db: AsyncSession, scope: Scope, link_id: UUID) -> JoinLink | None:
    """A link of the scope's organization that nobody has revoked."""
    return next((each for each in await list_links(db, scope) if each.id == link_id), None)


async def find_link(db: AsyncSession, code: str) -> JoinLink | None:
    """The link of a code, in whatever state, with its organization: who has the code was given it."""
    statement = select(JoinLink).options(joinedload(JoinLink.organization))
    async with system_scope(db):
        return await db.scalar(statement.where(JoinLink.code_hash == hash_token(code)))


async def list_domains(db: AsyncSession, scope: Scope) -> Sequence[JoinDomain]:
    """The domains whose people find the organization."""
    statement = select(JoinDomain).where(JoinDomain.organization_id == scope.organization.id)
    return (await db.scalars(statement.order_by(JoinDomain.domain))).all()


async def find_domain(db: AsyncSession, organization_id: UUID, addresses: Sequence[str]) -> JoinDomain | None:
    """By which domain somebody with these addresses comes in: rather by one that does not ask.

    The transaction must have named the organization.
    """
    statement = select(JoinDomain).where(
        JoinDomain.organization_id == organization_id, JoinDomain.domain.in_({domain_of(each) for each in addresses})
    )
    return await db.scalar(statement.order_by(JoinDomain.asks, JoinDomain.domain).limit(1))


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


async def count_promises(db: AsyncSession, scope: Scope, role: CustomRole) -> int:
    """How many invitations, links and domains let people in with this role."""
    found = [
        select(func.count())
        .select_from(holder)
        .where(holder.organization_id == scope.organization.id, holder.custom_role_id == role.id, *is_live)
        .scalar_subquery()
        for holder, is_live in LIVE.items()
    ]
    return sum((await db.execute(select(*found))).one())


async def list_member_domains(db: AsyncSession, scope: Scope) -> Sequence[str]:
    """The domains at which an active member has a verified primary address."""
    domain = func.lower(func.split_part(Email.address, "@", 2))
    statement = (
        select(domain)
        .join(Membership, Membership.user_id == Email.user_id)
        .where(
            Membership.organization_id == scope.organization.id,
            Membership.status == MembershipStatus.ACTIVE,
            Email.is_primary,
        )
        .distinct()
        .order_by(domain)
        .limit(MOST_LISTED)
    )
    return (await db.scalars(statement)).all()


async def list_joinable(db: AsyncSession, user: User) -> list[Joinable]:
    """The organizations that a person finds by the domain of a verified address and does not belong to."""
    domains = sorted({domain_of(address) for address in await list_verified(db, user)})
    member = exists().where(Membership.organization_id == Organization.id, Membership.user_id == user.id)
    requested = exists().where(JoinRequest.organization_id == Organization.id, JoinRequest.user_id == user.id)
    statement = (
        select(Organization.id, Organization.name, func.bool_and(JoinDomain.asks), requested)
        .join(JoinDomain, JoinDomain.organization_id == Organization.id)
        .where(JoinDomain.domain.in_(domains), Organization.status == "active", ~member)
        .group_by(Organization.id, Organization.name)
        .order_by(func.lower(Organization.name), Organization.id)
        .limit(MOST_LISTED)
    )
    async with system_scope(db):
        return [Joinable(*row) for row in await db.execute(statement)]


async def list_requests(db: AsyncSession, scope: Scope) -> Sequence[JoinRequest]:
    """Those who ask to join, with their person, who asked first on top."""
    statement = (
        select(JoinRequest)
        .options(joinedload(JoinRequest.user).joinedload(User.primary_email))
        .where(JoinRequest.organization_id == scope.organization.id)
        .order_by(JoinRequest.created_at)
        .limit(MOST_LISTED)
    )
    return (await db.scalars(statement)).all()


async def find_request(db: AsyncSession, scope: Scope, user_id: UUID) -> JoinRequest | None:
    statement = (
        select(JoinRequest)
        .options(joinedload(JoinRequest.user).joinedload(User.primary_email))
        .where(JoinRequest.organization_id == scope.organization.id, JoinRequest.user_id == user_id)
    )
    return await db.scalar(statement)
