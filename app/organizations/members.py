"""Changing who belongs to an organization and as what. The database has the last word on the last owner."""

from sqlalchemy import Delete, Update, delete, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app import features
from app.audit.models import RequestFacts
from app.config import Settings
from app.errors import Refusal
from app.language import N_
from app.notifications.kinds import ROLE_CHANGED
from app.organizations import emails
from app.organizations.custom_roles import AnyRole, note_role, role_columns, role_key, role_of
from app.organizations.granting import require_power_over
from app.organizations.member_queries import has_other_owner
from app.organizations.models import Membership, MembershipStatus, Scope
from app.organizations.notifying import notify_member
from app.organizations.recording import note_about

_CHECK_OWNERS = text("SET CONSTRAINTS organization_keeps_owner IMMEDIATE")


class LastOwner(Refusal):
    """The organization would be left without an active owner, perhaps because another one goes at this very moment."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("An organization needs an owner. Make somebody else an owner first."))


class NotYourself(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("You cannot do this to yourself. To go, leave the organization."))


class CannotTakeOver(Refusal):
    """Whoever is to take over is suspended, or the very person who goes."""

    def __init__(self) -> None:
        super().__init__(N_("Choose another active member to take over."))


class PersonalStays(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("A personal organization goes with its person's account. Make it a team's first."))


async def change_role(
    db: AsyncSession, settings: Settings, scope: Scope, member: Membership, *, role: AnyRole, facts: RequestFacts
) -> None:
    """Give a member another role, and tell them. Raises AboveYourOwnRole and LastOwner."""
    before = role_of(member)
    if role == before:
        return
    require_power_over(scope.membership, member, role)
    await _keeping_an_owner(db, member, _update(member).values(**role_columns(role)))
    note_role(member, role)
    changes: dict[str, list[str | None]] = {"role": [role_key(before), role_key(role)]}
    await _note(db, "members.role_changed", scope, member, facts, changes)
    if member.user_id != scope.user.id:
        await emails.send_role_changed(db, settings, scope, member)
        await notify_member(db, ROLE_CHANGED, scope, member.user_id)


async def suspend(db: AsyncSession, scope: Scope, member: Membership, *, facts: RequestFacts) -> None:
    """Keep a member's place and let them do nothing. Raises NotYourself, AboveYourOwnRole and LastOwner."""
    await _change_status(db, scope, member, MembershipStatus.SUSPENDED, facts)


async def reactivate(db: AsyncSession, scope: Scope, member: Membership, *, facts: RequestFacts) -> None:
    """Let a suspended member back in. Raises AboveYourOwnRole."""
    await _change_status(db, scope, member, MembershipStatus.ACTIVE, facts)


async def remove(
    db: AsyncSession,
    settings: Settings,
    scope: Scope,
    member: Membership,
    *,
    facts: RequestFacts,
    successor: Membership | None = None,
) -> None:
    """Take a member out of the organization, and tell them. What they answer for is the successor's then, or nobody's.

    Raises NotYourself, AboveYourOwnRole, CannotTakeOver and LastOwner.
    """
    if member.user_id == scope.user.id:
        raise NotYourself
    require_power_over(scope.membership, member)
    if successor is not None:
        await _hand_over(db, scope, member, successor, facts)
    await _keeping_an_owner(db, member, _delete(member))
    await _note(db, "members.removed", scope, member, facts, {"role": [role_key(role_of(member)), None]})
    await emails.send_removed(db, settings, scope, member)


async def leave(db: AsyncSession, scope: Scope, *, facts: RequestFacts) -> None:
    """Go of one's own will. Raises LastOwner, and PersonalStays for one's own personal organization."""
    organization, member = scope.organization, scope.membership
    if organization.is_personal_of(scope.user):
        raise PersonalStays
    await _keeping_an_owner(db, member, _delete(member))
    await _note(db, "members.left", scope, member, facts, {"role": [role_key(role_of(member)), None]})


async def _change_status(
    db: AsyncSession, scope: Scope, member: Membership, status: MembershipStatus, facts: RequestFacts
) -> None:
    before = member.status
    if status == before:
        return
    if member.user_id == scope.user.id:
        raise NotYourself
    require_power_over(scope.membership, member)
    await _keeping_an_owner(db, member, _update(member).values(status=status))
    set_committed_value(member, "status", status)
    action = "members.suspended" if status == MembershipStatus.SUSPENDED else "members.reactivated"
    await _note(db, action, scope, member, facts, {"status": [before, status]})


async def _hand_over(
    db: AsyncSession, scope: Scope, member: Membership, successor: Membership, facts: RequestFacts
) -> None:
    if successor.user_id == member.user_id or successor.status != MembershipStatus.ACTIVE:
        raise CannotTakeOver
    for each in features.duties():
        await each.hand_over(db, scope, member.user_id, successor.user_id, facts=facts)


async def _keeping_an_owner(db: AsyncSession, member: Membership, statement: Update | Delete) -> None:
    """Run a statement, and have the database check now, not at the end, that an owner is left. Raises LastOwner.

    The check locks the organization: of two requests that each take away another owner, the second waits for the first.
    """
    if not await has_other_owner(db, member):
        raise LastOwner
    try:
        async with db.begin_nested():
            await db.execute(statement.execution_options(synchronize_session=False))
            await db.execute(_CHECK_OWNERS)
    except IntegrityError:
        raise LastOwner from None


def _update(member: Membership) -> Update:
    return update(Membership).where(
        Membership.organization_id == member.organization_id, Membership.user_id == member.user_id
    )


def _delete(member: Membership) -> Delete:
    return delete(Membership).where(
        Membership.organization_id == member.organization_id, Membership.user_id == member.user_id
    )


async def _note(
    db: AsyncSession,
    action: str,
    scope: Scope,
    member: Membership,
    facts: RequestFacts,
    changes: dict[str, list[str | None]],
) -> None:
    user = scope.user if member.user_id == scope.user.id else member.user
    await note_about(db, action, scope, ("user", user.id, user.name), facts, changes)
