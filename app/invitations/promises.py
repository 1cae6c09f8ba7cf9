"""What becomes of the roles that were promised in advance when the organization deletes one."""

from sqlalchemy import and_, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.invitations.door_queries import LIVE
from app.organizations.custom_roles import AnyRole, role_columns
from app.organizations.models import CustomRole, Scope
from app.policy import Role


async def replace_role(db: AsyncSession, scope: Scope, role: CustomRole, *, instead: AnyRole | None) -> None:
    """Have whatever still lets people in with a role give another one; None leaves it, and the foreign key keeps the role.

    What lets nobody in any more only stops naming the role.
    """
    for holder, is_live in LIVE.items():
        named = update(holder).where(holder.organization_id == scope.organization.id, holder.custom_role_id == role.id)
        named = named.execution_options(synchronize_session=False)
        if instead is not None:
            await db.execute(named.where(*is_live).values(**role_columns(instead)))
        await db.execute(named.where(~and_(true(), *is_live)).values(**role_columns(Role.MEMBER)))
