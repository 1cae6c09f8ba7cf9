"""Answering an invitation. Only a person who has proved the invited address can, once, while whoever invited could still invite."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import name_organization, system_scope
from app.errors import Refusal
from app.invitations import emails, queries
from app.invitations.joining import OutsideDomains, become_member
from app.invitations.models import Invitation
from app.invitations.notifying import notify_inviter
from app.language import N_
from app.organizations.custom_roles import role_of
from app.organizations.granting import may_grant
from app.organizations.models import Organization
from app.organizations.recording import note_by


class InvitationGone(Refusal):
    """Expired, revoked, answered, or void, because whoever sent it may not invite (so) any more."""

    status_code = 410

    def __init__(self) -> None:
        super().__init__(N_("This invitation does not work any more. Ask for a new one."))


class WrongPerson(Refusal):
    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("This invitation is for another address."))


async def accept(
    db: AsyncSession, settings: Settings, user: User, invitation: Invitation, *, facts: RequestFacts
) -> Organization:
    """Become a member by an invitation, and tell who sent it. Raises WrongPerson, InvitationGone, OutsideDomains, RoleGone."""
    organization = invitation.organization
    await _require_right_person(db, user, invitation)
    await name_organization(db, organization.id)
    await _answer(db, invitation, accepted_at=clock.now(), accepted_by=user.id)
    if not await is_backed(db, invitation):
        raise InvitationGone
    if not organization.admits(invitation.address):
        raise OutsideDomains
    is_new = await become_member(
        db,
        organization,
        user,
        role=role_of(invitation),
        invited_by=invitation.invited_by,
        door="invitation",
        facts=facts,
    )
    user.current_organization_id = organization.id
    if is_new:
        await _note(db, "invitations.accepted", user, invitation, facts)
        await emails.send_accepted(db, settings, invitation, who=user)
        await notify_inviter(db, invitation, who=user)
    return organization


async def decline(
    db: AsyncSession, settings: Settings, user: User, invitation: Invitation, *, facts: RequestFacts
) -> None:
    """Say no, and tell who sent it. Raises WrongPerson and InvitationGone."""
    await _require_right_person(db, user, invitation)
    await name_organization(db, invitation.organization_id)
    await _answer(db, invitation, declined_at=clock.now())
    await _note(db, "invitations.declined", user, invitation, facts)
    await emails.send_declined(db, settings, invitation, who=user)


async def is_backed(db: AsyncSession, invitation: Invitation) -> bool:
    """Whether who sent an invitation is still a member who may invite, with a role not below the invitation's."""
    inviter = await queries.find_membership_of(db, invitation.organization_id, invitation.invited_by)
    if inviter is None or "invitations.create" not in inviter.permissions:
        return False
    return may_grant(inviter, invitation)


async def could_be_backed(db: AsyncSession, invitation: Invitation) -> bool:
    """Whether accepting has a chance: `is_backed`, for somebody who only looks and has named no organization."""
    async with system_scope(db):
        return await is_backed(db, invitation)


async def _require_right_person(db: AsyncSession, user: User, invitation: Invitation) -> None:
    if not await queries.has_verified(db, user, invitation.address):
        raise WrongPerson
    if invitation.organization.status != "active":
        raise InvitationGone


async def _answer(db: AsyncSession, invitation: Invitation, **values: object) -> None:
    """Use an invitation up in one statement: of any number of requests that answer at once, one succeeds."""
    statement = update(Invitation).where(
        Invitation.id == invitation.id, Invitation.token_hash == invitation.token_hash, *queries.is_open()
    )
    answered = statement.values(**values).returning(Invitation.id)
    if await db.scalar(answered.execution_options(synchronize_session=False)) is None:
        raise InvitationGone


async def _note(db: AsyncSession, action: str, user: User, invitation: Invitation, facts: RequestFacts) -> None:
    target = ("invitation", invitation.id, invitation.address)
    await note_by(db, action, invitation.organization, user, target, facts)
