"""The roles that members of an organization may have: those of the code, and those that it made for itself."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app.organizations.granting import may_grant
from app.organizations.models import CustomRole, RoleHolder, Scope
from app.policy import Role

AnyRole = Role | CustomRole


def role_of(holder: RoleHolder) -> AnyRole:
    """The role that says what a member, or whoever comes in by an invitation or a link, may do."""
    return holder.custom_role or Role(holder.role)


def role_key(role: AnyRole) -> str:
    """What forms and programs call a role."""
    return role.key if isinstance(role, CustomRole) else role.value


def role_columns(role: AnyRole) -> dict[str, object]:
    """What a table of role holders says of somebody with this role."""
    if isinstance(role, CustomRole):
        return {"role": Role.MEMBER, "custom_role_id": role.id}
    return {"role": role, "custom_role_id": None}


def note_role(holder: RoleHolder, role: AnyRole) -> None:
    """Have a holder in memory say what the database has been told."""
    for name, value in role_columns(role).items():
        set_committed_value(holder, name, value)
    set_committed_value(holder, "custom_role", role if isinstance(role, CustomRole) else None)


async def list_custom_roles(db: AsyncSession, scope: Scope) -> Sequence[CustomRole]:
    """The roles that the organization made for itself, by name."""
    statement = select(CustomRole).where(CustomRole.organization_id == scope.organization.id)
    return (await db.scalars(statement.order_by(CustomRole.name))).all()


async def list_roles(db: AsyncSession, scope: Scope) -> list[AnyRole]:
    """The built-in roles from the most to the least powerful, then the organization's own by name."""
    return [*Role, *await list_custom_roles(db, scope)]


async def list_grantable(db: AsyncSession, scope: Scope) -> list[AnyRole]:
    """Those of all roles that the member may give."""
    return [role for role in await list_roles(db, scope) if may_grant(scope.membership, role)]


async def find_custom_role(
    db: AsyncSession, scope: Scope, key: str, *, is_changed: bool = False, is_given: bool = False
) -> CustomRole | None:
    """A role of the organization's own; locked for whoever changes it, and kept from being deleted for whoever gives it."""
    statement = select(CustomRole).where(CustomRole.organization_id == scope.organization.id, CustomRole.key == key)
    if is_changed or is_given:
        # Neither waits for the other: what deletes the role waits only when it does, and knows by then who had it.
        statement = statement.with_for_update(read=is_given, key_share=True).execution_options(populate_existing=True)
    return await db.scalar(statement)


async def find_role(db: AsyncSession, scope: Scope, key: str) -> AnyRole | None:
    """The role that forms and programs call `key`, to be given: a built-in one, or the organization's own."""
    return Role(key) if key in set(Role) else await find_custom_role(db, scope, key, is_given=True)
