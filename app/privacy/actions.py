"""Leaving: asked for, thought over for two weeks, then done for good."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.actions import end_sessions
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import Email, User
from app.accounts.revival import revive
from app.accounts.signed_links import is_signed, sign_link, subject_of
from app.audit.actions import record, record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import system_scope
from app.email.retention import forget_addresses
from app.errors import Refusal
from app.language import N_
from app.organizations.models import Membership, MembershipStatus, Organization
from app.policy import Role
from app.privacy import emails, queries
from app.waitlist.models import WaitlistEntry

GRACE = timedelta(days=14)
KEEPING = "keep_account"


class SoleOwner(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(
            N_("Other people work in an organization that you alone own. Hand it over or delete it first.")
        )


class WrongConfirmation(Refusal):
    def __init__(self) -> None:
        super().__init__(N_("Type your primary e-mail address to confirm."))


async def schedule_deletion(
    db: AsyncSession, settings: Settings, user: User, *, typed: str, facts: RequestFacts
) -> datetime:
    """Close an account now and have it deleted after two weeks; returns when. Raises WrongConfirmation and SoleOwner."""
    if typed.lower() != user.email.lower():
        raise WrongConfirmation
    if (await queries.find_consequences(db, user.id)).blocking:
        raise SoleOwner
    delete_at = clock.now() + GRACE
    await db.execute(update(User).where(User.id == user.id).values(status="deleting", delete_at=delete_at))
    await end_sessions(db, user)
    token = keep_token(settings, user.id, delete_at)
    await emails.send_deletion_scheduled(db, settings, user, delete_at=delete_at, token=token)
    await record_by(db, "privacy.deletion_scheduled", user, facts)
    return delete_at


def keep_token(settings: Settings, user_id: UUID, delete_at: datetime) -> str:
    """The token of the link that keeps an account. It is bound to this one deletion, so using it uses it up."""
    return sign_link(settings, KEEPING, user_id, delete_at)


async def find_leaving(db: AsyncSession, settings: Settings, token: str) -> User | None:
    """The person whose account a mailed link keeps, while it still waits to be deleted."""
    statement = select(User).options(joinedload(User.primary_email))
    user = await db.scalar(statement.where(User.id == subject_of(token), User.status == "deleting"))
    if user is None or user.delete_at is None:
        return None
    return user if is_signed(settings, KEEPING, user.id, user.delete_at, token) else None


async def keep_account(db: AsyncSession, settings: Settings, *, token: str, facts: RequestFacts) -> None:
    """Take a deletion back by its mailed link. Raises LinkDoesNotWork."""
    user = await find_leaving(db, settings, token)
    if user is None or not await revive(db, settings, user, facts=facts):
        raise LinkDoesNotWork


async def erase(db: AsyncSession, settings: Settings, user_id: UUID) -> bool:
    """Delete a person and everything about them, if their time is over; False otherwise.

    The audit trail keeps that something happened, without name, address or place: `forget_person` in the database.
    """
    async with system_scope(db):
        statement = select(User).options(joinedload(User.primary_email)).where(User.id == user_id)
        user = await db.scalar(statement.with_for_update(of=User))
        if user is None or user.status != "deleting" or user.delete_at is None or user.delete_at > clock.now():
            return False
        consequences = await queries.find_consequences(db, user_id)
        await _hand_over(db, user_id, consequences.blocking)
        addresses = (await db.scalars(select(func.lower(Email.address)).where(Email.user_id == user_id))).all()
        vanishing = [organization.id for organization in consequences.vanishing]
        # The last message, below, stays until it is delivered and forgotten with all others of its age.
        await forget_addresses(db, addresses)
        await emails.send_deletion_done(db, settings, user)
        await db.execute(select(func.forget_person(user_id, vanishing)))
        for gone in (
            delete(WaitlistEntry).where(func.lower(WaitlistEntry.address).in_(addresses)),
            delete(Organization).where(Organization.id.in_(vanishing)),
            delete(User).where(User.id == user_id),
        ):
            await db.execute(gone.execution_options(synchronize_session=False))
        db.expunge(user)
        await record(db, "privacy.erased", actor_id=None, target_type="user", target_id=user_id, request=RequestFacts())
    return True


async def _hand_over(db: AsyncSession, user_id: UUID, organizations: Sequence[Organization]) -> None:
    """Somebody may have become an organization's last owner while their account waited. It goes to whoever is next."""
    for organization in organizations:
        heir = (
            select(Membership.user_id)
            .where(Membership.organization_id == organization.id, Membership.user_id != user_id)
            .order_by(
                (Membership.status == MembershipStatus.ACTIVE).desc(),
                (Membership.role == Role.ADMIN).desc(),
                Membership.joined_at,
            )
            .limit(1)
            .scalar_subquery()
        )
        statement = update(Membership).where(Membership.organization_id == organization.id, Membership.user_id == heir)
        values = statement.values(role=Role.OWNER, custom_role_id=None, status=MembershipStatus.ACTIVE)
        await db.execute(values.execution_options(synchronize_session=False))
