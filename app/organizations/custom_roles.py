"""The roles that members of an organization may have: those of the code, and those that it made for itself."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.organizations.models import CustomRole, Membership, Scope
from app.policy import Role

AnyRole = Role | CustomRole


def role_of(member: Membership) -> AnyRole:
    """The role that says what a member may do."""
    return member.custom_role or Role(member.role)


def role_key(role: AnyRole) -> str:
    """What forms and programs call a role."""
    return role.key if isinstance(role, CustomRole) else role.value


async def list_custom_roles(db: AsyncSession, scope: Scope) -> Sequence[CustomRole]:
    """The roles that the organization made for itself, by name."""
    statement = select(CustomRole).where(CustomRole.organization_id == scope.organization.id)
    return (await db.scalars(statement.order_by(CustomRole.name))).all()


async def find_custom_role(db: AsyncSession, scope: Scope, key: str) -> CustomRole | None:
    statement = select(CustomRole).where(CustomRole.organization_id == scope.organization.id, CustomRole.key == key)
    return await db.scalar(statement)


async def find_role(db: AsyncSession, scope: Scope, key: str) -> AnyRole | None:
    """The role that forms and programs call `key`: a built-in one, or the organization's own."""
    return Role(key) if key in set(Role) else await find_custom_role(db, scope, key)
