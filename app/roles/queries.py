"""Who holds the roles that an organization made for itself."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.accounts.models import User
from app.organizations.models import CustomRole, Membership, Scope


async def count_holders(db: AsyncSession, scope: Scope) -> Mapping[UUID, int]:
    """How many members hold each role of the organization's own; those that nobody holds are missing."""
    statement = (
        select(Membership.custom_role_id, func.count())
        .where(Membership.organization_id == scope.organization.id, Membership.custom_role_id.is_not(None))
        .group_by(Membership.custom_role_id)
    )
    return {role_id: count for role_id, count in await db.execute(statement) if role_id is not None}


async def list_holders(db: AsyncSession, scope: Scope, role: CustomRole) -> Sequence[Membership]:
    """The members who hold a role, suspended ones too, with their people and addresses, locked."""
    statement = (
        select(Membership)
        .options(joinedload(Membership.user).joinedload(User.primary_email))
        .where(Membership.organization_id == scope.organization.id, Membership.custom_role_id == role.id)
        .order_by(Membership.joined_at, Membership.user_id)
        .with_for_update(of=Membership)
        .execution_options(populate_existing=True)
    )
    return (await db.scalars(statement)).all()
