"""What this feature hands over of a person's data: where they belong, not what belongs to the organizations."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.accounts.models import User
from app.exporting import Rows, row_as_json
from app.organizations.custom_roles import role_key, role_of
from app.organizations.models import Membership


async def export_person(db: AsyncSession, user: User) -> Rows:
    statement = select(Membership).options(joinedload(Membership.organization)).where(Membership.user_id == user.id)
    memberships = (await db.scalars(statement)).all()
    rows = [
        row_as_json(each, without=["custom_role_id"])
        | {"role": role_key(role_of(each)), "organization": row_as_json(each.organization)}
        for each in memberships
    ]
    return {"memberships": rows}
