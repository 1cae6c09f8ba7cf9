"""What this feature hands over of a person's data: what they sent and accepted, and where they asked to join."""

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.exporting import Rows, row_as_json, rows_of
from app.invitations.models import Invitation, JoinRequest
from app.organizations.custom_roles import role_key, role_of


async def export_person(db: AsyncSession, user: User) -> Rows:
    return {
        "invitations_sent": await _invitations(db, Invitation.invited_by == user.id),
        "invitations_accepted": await _invitations(db, Invitation.accepted_by == user.id),
        "join_requests": await rows_of(db, JoinRequest.user_id, user.id),
    }


async def _invitations(
    db: AsyncSession, condition: ColumnElement[bool]
) -> list[dict[str, Any]]:  # Any: as `Rows` has it.
    """Those invitations, with what programs call the role that each gives."""
    found = await db.scalars(select(Invitation).where(condition))
    return [row_as_json(each, without=["custom_role_id"]) | {"role": role_key(role_of(each))} for each in found]
