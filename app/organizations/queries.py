"""What is known about organizations. Those that take a scope read only its organization."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, bindparam, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, contains_eager

from app.accounts.models import User
from app.database import organization_named
from app.organizations.models import FormerSlug, Membership, MembershipStatus, Organization, Scope
from app.pagination import Position
from app.reads import Read

_MEMBERSHIP = Read(
    select(Membership, Organization, organization_named(Organization.id))
    .join(Membership.organization)
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


async def list_organizations(
    db: AsyncSession, user: User, *, after: Position | None = None, limit: int | None = None
) -> Sequence[Membership]:
    """A person's active memberships, with the organization loaded, those they joined first on top.

    The transaction must have named the user.
    """
    statement = (
        select(Membership)
        .join(Membership.organization)
        .options(contains_eager(Membership.organization))
        .where(
            Membership.user_id == user.id,
            Membership.status == MembershipStatus.ACTIVE,
            Organization.status == "active",
        )
        .order_by(Membership.joined_at, Membership.organization_id)
    )
    return (await db.scalars(_part(statement, Membership.organization_id, after, limit))).all()


async def list_members(
    db: AsyncSession, scope: Scope, *, after: Position | None = None, limit: int | None = None
) -> Sequence[Membership]:
    """Everybody in the organization, with their person and address loaded, those who joined first on top."""
    statement = (
        select(Membership)
        .join(Membership.user)
        .outerjoin(User.primary_email)
        .options(contains_eager(Membership.user).contains_eager(User.primary_email))
        .where(Membership.organization_id == scope.organization.id)
        .order_by(Membership.joined_at, Membership.user_id)
        .execution_options(populate_existing=True)
    )
    return (await db.scalars(_part(statement, Membership.user_id, after, limit))).all()


def _part(
    statement: Select[Membership],
    identifier: InstrumentedAttribute[UUID],
    after: Position | None,
    limit: int | None,
) -> Select[Membership]:
    """The rows behind a position in the order (joined_at, `identifier`), at most `limit` of them."""
    if after is not None:
        statement = statement.where(tuple_(Membership.joined_at, identifier) > (after.at, after.id))
    return statement.limit(limit)
