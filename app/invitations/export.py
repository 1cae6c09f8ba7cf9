"""What this feature hands over of a person's data: what they sent and accepted, and where they asked to join."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.exporting import Rows, rows_of
from app.invitations.models import Invitation, JoinRequest


async def export_person(db: AsyncSession, user: User) -> Rows:
    return {
        "invitations_sent": await rows_of(db, Invitation.invited_by, user.id),
        "invitations_accepted": await rows_of(db, Invitation.accepted_by, user.id),
        "join_requests": await rows_of(db, JoinRequest.user_id, user.id),
    }
