"""Telling people in the product what happened to an invitation."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.accounts.queries import find_user
from app.database import system_scope
from app.invitations.models import Invitation
from app.invitations.queries import find_with_people
from app.notifications.actions import notify
from app.notifications.kinds import INVITATION_ACCEPTED, INVITATION_RECEIVED


async def notify_inviter(db: AsyncSession, invitation: Invitation, *, who: User) -> None:
    """Tell who sent it that somebody accepted; several at a time are one notification."""
    if invitation.invited_by is not None:
        await notify(
            db,
            INVITATION_ACCEPTED,
            invitation.invited_by,
            actor=who,
            organization_id=invitation.organization_id,
            data={"organization": invitation.organization.name, "slug": invitation.organization.slug},
            group_key=f"{INVITATION_ACCEPTED.name}:{invitation.organization_id}",
        )


async def notify_receiver(db: AsyncSession, invitation_id: UUID) -> None:
    """Tell whoever has proved the invited address, if anybody has and the invitation is still there."""
    async with system_scope(db):
        invitation = await find_with_people(db, invitation_id)
    if invitation is None:
        return
    receiver = await find_user(db, invitation.address)
    if receiver is not None:
        await notify(
            db,
            INVITATION_RECEIVED,
            receiver.id,
            actor=invitation.inviter,
            data={"organization": invitation.organization.name},
            group_key=f"{INVITATION_RECEIVED.name}:{invitation.organization_id}",
        )
