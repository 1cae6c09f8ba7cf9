"""Becoming a member, whichever door somebody came through."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.errors import Refusal
from app.invitations import queries
from app.language import N_
from app.organizations.custom_roles import AnyRole, role_columns, role_key
from app.organizations.models import Membership, MembershipStatus, Organization
from app.organizations.recording import note_by


class OutsideDomains(Refusal):
    """The organization takes only people with an address at certain domains."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("Only people with an address at certain domains can join this organization."))


class RoleGone(Refusal):
    """Somebody deleted the role at this very moment; another one has its place by now."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("The organization has just changed its roles. Try again."))


async def become_member(
    db: AsyncSession,
    organization: Organization,
    user: User,
    *,
    role: AnyRole,
    invited_by: UUID | None,
    door: str,
    facts: RequestFacts,
) -> bool:
    """Make a person a member; False if they are one already. Raises RoleGone. The transaction must have named the organization.

    Of any number of requests that try at once one writes the row. `door` says in the audit trail how they came in.
    """
    statement = (
        insert(Membership)
        .values(
            organization_id=organization.id,
            user_id=user.id,
            **role_columns(role),
            status=MembershipStatus.ACTIVE,
            invited_by=invited_by,
            joined_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(Membership.user_id)
    )
    try:
        async with db.begin_nested():
            written = await db.scalar(statement.execution_options(synchronize_session=False))
    except IntegrityError:
        raise RoleGone from None
    if written is None:
        return False
    changes = {"role": [None, role_key(role)], "door": [None, door]}
    await note_by(db, "members.joined", organization, user, ("user", user.id, user.name), facts, changes)
    return True


async def require_admission(db: AsyncSession, organization: Organization, user: User) -> None:
    """Raises OutsideDomains for somebody without a verified address at a domain that the organization allows."""
    if organization.allowed_domains:
        addresses = await queries.list_verified(db, user)
        if not any(organization.admits(address) for address in addresses):
            raise OutsideDomains
