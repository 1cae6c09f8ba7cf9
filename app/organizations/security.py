"""An organization's security policy: what it demands of its members beyond what the product does."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.entering import TRUSTED_DEVICE
from app.accounts.models import Email, User
from app.audit.models import RequestFacts
from app.errors import Refusal
from app.language import N_
from app.organizations.models import Membership, MembershipStatus, Organization, Scope
from app.organizations.recording import note
from app.two_factor.proofs import FACTORS


class SecondFactorNeeded(Refusal):
    """The organization demands a second factor, and this person has none, or this session was begun without it."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("This organization demands a second factor. Set one up in your account, then come back."))


class SessionTooOld(Refusal):
    """The organization wants its members to prove who they are more often than the product does."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("This organization asks you to confirm more often that it is you. Log in again."))


class FirstYourself(Refusal):
    """Whoever demands a second factor of everybody without having one would lock themselves out."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("Set up a second factor for yourself before you demand it of everybody."))


class OutsideYourself(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("Your own address must be at one of the domains."))


def require_policy(scope: Scope) -> None:
    """What every page and every operation of an organization asks first. Raises SecondFactorNeeded and SessionTooOld.

    A session that was begun before there was a second factor does not pass either, until it has shown one.
    """
    organization, session = scope.organization, scope.session
    if organization.demands_second_factor and not has_shown_factor(scope):
        raise SecondFactorNeeded
    if session is None or organization.session_hours is None:
        return
    if clock.now() - session.authenticated_at >= timedelta(hours=organization.session_hours):
        raise SessionTooOld


def has_shown_factor(scope: Scope) -> bool:
    """Whether this member has a second factor, and this session has seen it. A token was made in such a session."""
    if scope.user.second_factor_at is None:
        return False
    return scope.session is None or not (FACTORS | {TRUSTED_DEVICE}).isdisjoint(scope.session.authentication_methods)


async def change_policy(
    db: AsyncSession,
    scope: Scope,
    *,
    second_factor_from: datetime | None,
    allowed_domains: Sequence[str],
    session_hours: int | None,
    facts: RequestFacts,
) -> None:
    """Demand something else of the members from now on. Raises FirstYourself and OutsideYourself."""
    organization = scope.organization
    if second_factor_from is not None and scope.user.second_factor_at is None:
        raise FirstYourself
    domains = sorted({domain.lower() for domain in allowed_domains})
    if domains and scope.user.email.rpartition("@")[2].lower() not in domains:
        raise OutsideYourself
    before = _shown(organization)
    organization.second_factor_from = second_factor_from
    organization.allowed_domains, organization.session_hours = domains, session_hours
    after = _shown(organization)
    changes = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    if changes:
        await note(db, "security.policy_changed", organization, scope.user, facts, changes)


async def count_affected(db: AsyncSession, scope: Scope) -> tuple[int, int]:
    """How many active members have no second factor, and how many no address at an allowed domain."""
    domain = func.lower(func.split_part(Email.address, "@", 2))
    inside = domain.in_(scope.organization.allowed_domains or [""])
    statement = (
        select(
            func.count().filter(User.second_factor_at.is_(None)),
            func.count().filter(~func.coalesce(inside, False)),
        )
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .outerjoin(User.primary_email)
        .where(Membership.organization_id == scope.organization.id, Membership.status == MembershipStatus.ACTIVE)
    )
    without_factor, outside = (await db.execute(statement)).one()
    return without_factor, outside if scope.organization.allowed_domains else 0


async def find_second_factor_demand(db: AsyncSession, user: User) -> str | None:
    """The name of an organization of this person that demands a second factor, or will."""
    statement = (
        select(Organization.name)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(
            Membership.user_id == user.id,
            Membership.status == MembershipStatus.ACTIVE,
            Organization.status == "active",
            Organization.second_factor_from.is_not(None),
        )
        .order_by(Organization.name)
        .limit(1)
    )
    return await db.scalar(statement)


def _shown(organization: Organization) -> dict[str, object]:
    at = organization.second_factor_from
    return {
        "second_factor_from": at.isoformat(timespec="minutes") if at else None,
        "allowed_domains": list(organization.allowed_domains),
        "session_hours": organization.session_hours,
    }
