"""What is known about organizations. Those that take a scope read only its organization."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.database import organization_named, system_scope
from app.organizations.models import CustomRole, FormerSlug, Membership, MembershipStatus, Organization
from app.pagination import Pages, Position
from app.policy import Role
from app.reads import Read

_MEMBERSHIP = Read(
    select(Membership, Organization, CustomRole, organization_named(Organization.id))
    .join(Membership.organization)
    .outerjoin(Membership.custom_role)
    .where(
        or_(
            Organization.slug == bindparam("slug"),
            Organization.id
            == select(FormerSlug.organization_id).where(FormerSlug.slug == bindparam("slug")).scalar_subquery(),
        ),
        Organization.status == "active",
        Membership.user_id == bindparam("user_id"),
        Membership.status == MembershipStatus.ACTIVE,
    ),
    Membership.organization,
    Membership.custom_role,
)


async def find_membership(db: AsyncSession, user: User, slug: str) -> Membership | None:
    """A person's active membership in the organization that has, or had, this slug, with the organization loaded.

    The same statement names the organization to the database, which row-level security goes by afterwards. For somebody who
    is no member it finds nothing and names nothing, as for an organization that does not exist.
    """
    row = await _MEMBERSHIP.first(db, slug=slug, user_id=user.id)
    return row[0] if row else None


async def find_last_slug(db: AsyncSession, user: User) -> str | None:
    """The slug of the organization whose pages a person had open last, else of the one they joined first.

    The transaction must have named the user.
    """
    statement = (
        select(Organization.slug)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(
            Membership.user_id == user.id,
            Membership.status == MembershipStatus.ACTIVE,
            Organization.status == "active",
        )
        .order_by((Organization.id == user.current_organization_id).desc().nulls_last(), Membership.joined_at)
        .limit(1)
    )
    return await db.scalar(statement)


async def is_slug_free(db: AsyncSession, slug: str) -> bool:
    """Whether no organization has, or had, this slug. It looks past row-level security, and says no more than trying would."""
    taken = exists().where(Organization.slug == slug)
    former = exists().where(FormerSlug.slug == slug)
    async with system_scope(db):
        return not await db.scalar(select(or_(taken, former)))


_ORGANIZATIONS = Pages(
    select(Membership, Organization, CustomRole)
    .join(Membership.organization)
    .outerjoin(Membership.custom_role)
    .where(
        Membership.user_id == bindparam("user_id"),
        Membership.status == MembershipStatus.ACTIVE,
        Organization.status == "active",
    ),
    Membership.organization,
    Membership.custom_role,
    order=(Membership.joined_at, Membership.organization_id),
)


async def list_organizations(
    db: AsyncSession, user: User, *, after: Position | None = None, limit: int | None = None
) -> Sequence[Membership]:
    """A person's active memberships, with organization and role loaded, those they joined first on top.

    The transaction must have named the user.
    """
    return [membership for membership, *_ in await _ORGANIZATIONS.page(db, after, limit, user_id=user.id)]


async def list_closed(db: AsyncSession, user: User) -> Sequence[Organization]:
    """The organizations that wait to be erased and that this person owns. The transaction must have named the user."""
    statement = (
        select(Organization)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(
            Membership.user_id == user.id,
            Membership.role == Role.OWNER,
            Membership.status == MembershipStatus.ACTIVE,
            Organization.status == "deleting",
        )
        .order_by(Organization.name)
    )
    return (await db.scalars(statement)).all()


async def find_slug_of(db: AsyncSession, user: User, organization_id: UUID) -> str | None:
    """The slug of an organization whose pages a person may open. The transaction must have named the user."""
    statement = (
        select(Organization.slug)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(
            Membership.user_id == user.id,
            Membership.organization_id == organization_id,
            Membership.status == MembershipStatus.ACTIVE,
            Organization.status == "active",
        )
    )
    return await db.scalar(statement)


async def find_language(db: AsyncSession, user_id: UUID, organization_id: UUID | None = None) -> str | None:
    """What to speak to a person who has chosen no language, for the worker, who serves all organizations.

    It is what the organization `organization_id` chose, else the one whose pages they had open last.
    """
    statement = (
        select(Organization.locale)
        .join(User, or_(Organization.id == organization_id, Organization.id == User.current_organization_id))
        .where(User.id == user_id, Organization.locale.is_not(None))
        .order_by((Organization.id == organization_id).desc())
        .limit(1)
    )
    async with system_scope(db):
        return await db.scalar(statement)
