"""Handing an organization over: an owner offers it, a member accepts, and then the roles change places."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.audit.models import RequestFacts
from app.config import Settings
from app.errors import Refusal
from app.language import N_
from app.notifications.kinds import OWNERSHIP_OFFERED
from app.organizations import emails
from app.organizations.custom_roles import role_key, role_of
from app.organizations.member_queries import find_offer
from app.organizations.members import PersonalStays
from app.organizations.models import Membership, MembershipStatus, OrganizationKind, OwnershipOffer, Scope
from app.organizations.notifying import notify_member
from app.organizations.recording import note_about
from app.policy import Role

LIFETIME = timedelta(days=7)


class CannotOwn(Refusal):
    def __init__(self) -> None:
        super().__init__(N_("Choose an active member who does not own the organization yet."))


class AlreadyOffered(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("The organization is offered to somebody already. Withdraw that offer first."))


class OfferGone(Refusal):
    """Nothing is offered to this person, or not any more."""

    status_code = 410

    def __init__(self) -> None:
        super().__init__(N_("This offer was withdrawn or has expired."))


async def offer_ownership(
    db: AsyncSession, settings: Settings, scope: Scope, receiver: Membership, *, facts: RequestFacts
) -> OwnershipOffer:
    """Offer the organization to a member for a week, and tell both. Raises CannotOwn, AlreadyOffered and PersonalStays."""
    if scope.organization.kind == OrganizationKind.PERSONAL:
        raise PersonalStays
    if receiver.status != MembershipStatus.ACTIVE or receiver.role == Role.OWNER:
        raise CannotOwn
    await _forget_expired(db, scope)
    offer = OwnershipOffer(
        organization_id=scope.organization.id,
        from_user_id=scope.user.id,
        to_user_id=receiver.user_id,
        expires_at=clock.now() + LIFETIME,
    )
    try:
        async with db.begin_nested():
            db.add(offer)
    except IntegrityError:
        raise AlreadyOffered from None
    await _note(db, "ownership.offered", scope, receiver, facts)
    await emails.send_ownership_offered(db, settings, scope, receiver.user)
    await notify_member(db, OWNERSHIP_OFFERED, scope, receiver.user_id)
    return offer


async def withdraw_offer(db: AsyncSession, settings: Settings, scope: Scope, *, facts: RequestFacts) -> None:
    """Take the offer back. Raises OfferGone."""
    offer = await _get_offer(db, scope)
    await _close(db, offer, "withdrawn_at")
    await note_about(db, "ownership.withdrawn", scope, ("user", offer.to_user_id, offer.receiver.name), facts)
    await emails.send_ownership_withdrawn(db, settings, scope, offer.receiver)


async def decline_offer(db: AsyncSession, settings: Settings, scope: Scope, *, facts: RequestFacts) -> None:
    """Say no to an offer. Raises OfferGone."""
    offer = await _get_own_offer(db, scope)
    await _close(db, offer, "declined_at")
    await note_about(db, "ownership.declined", scope, ("user", offer.from_user_id, offer.giver.name), facts)
    await emails.send_ownership_declined(db, settings, scope, offer.giver)


async def accept_offer(db: AsyncSession, settings: Settings, scope: Scope, *, facts: RequestFacts) -> None:
    """Become an owner; whoever offered it becomes an admin. Raises OfferGone, also where they are no owner any more."""
    offer = await _get_own_offer(db, scope)
    await _close(db, offer, "accepted_at")
    giver = (
        update(Membership)
        .where(
            Membership.organization_id == scope.organization.id,
            Membership.user_id == offer.from_user_id,
            Membership.role == Role.OWNER,
            Membership.status == MembershipStatus.ACTIVE,
        )
        .values(role=Role.ADMIN)
        .returning(Membership.user_id)
    )
    if await db.scalar(giver.execution_options(synchronize_session=False)) is None:
        raise OfferGone
    before = role_key(role_of(scope.membership))
    scope.membership.role, scope.membership.custom_role_id = Role.OWNER, None
    changes = {"owner": [offer.giver.name, scope.user.name], "role": [before, Role.OWNER]}
    await note_about(db, "ownership.accepted", scope, ("user", scope.user.id, scope.user.name), facts, changes)
    for person in (offer.giver, scope.user):
        await emails.send_ownership_accepted(db, settings, scope, person, owner=scope.user)


async def _get_offer(db: AsyncSession, scope: Scope) -> OwnershipOffer:
    offer = await find_offer(db, scope)
    if offer is None or offer.expires_at <= clock.now():
        raise OfferGone
    return offer


async def _get_own_offer(db: AsyncSession, scope: Scope) -> OwnershipOffer:
    offer = await _get_offer(db, scope)
    if offer.to_user_id != scope.user.id:
        raise OfferGone
    return offer


async def _close(db: AsyncSession, offer: OwnershipOffer, how: str) -> None:
    """Answer an offer once: of an acceptance and a withdrawal that meet, one finds it gone."""
    statement = (
        update(OwnershipOffer)
        .where(
            OwnershipOffer.id == offer.id,
            OwnershipOffer.accepted_at.is_(None),
            OwnershipOffer.declined_at.is_(None),
            OwnershipOffer.withdrawn_at.is_(None),
        )
        .values({how: clock.now()})
        .returning(OwnershipOffer.id)
    )
    if await db.scalar(statement.execution_options(synchronize_session=False)) is None:
        raise OfferGone


async def _forget_expired(db: AsyncSession, scope: Scope) -> None:
    offer = await find_offer(db, scope)
    if offer is not None and offer.expires_at <= clock.now():
        await _close(db, offer, "withdrawn_at")


async def _note(db: AsyncSession, action: str, scope: Scope, member: Membership, facts: RequestFacts) -> None:
    await note_about(db, action, scope, ("user", member.user_id, member.user.name), facts)
