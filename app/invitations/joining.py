"""Becoming a member, whichever door somebody came through."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.errors import Refusal
from app.invitations import queries
from app.language import N_
from app.organizations.models import Membership, MembershipStatus, Organization


class OutsideDomains(Refusal):
    """The organization takes only people with an address at certain domains."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("Only people with an address at certain domains can join this organization."))


async def become_member(
    db: AsyncSession,
    organization: Organization,
    user: User,
    *,
    role: str,
    invited_by: UUID | None,
    door: str,
    facts: RequestFacts,
) -> bool:
    """Make a person a member; False if they are one already. The transaction must have named the organization.

    Of any number of requests that try at once one writes the row. `door` says in the audit trail how they came in.
    """
    statement = (
        insert(Membership)
        .values(
            organization_id=organization.id,
            user_id=user.id,
            role=role,
            status=MembershipStatus.ACTIVE,
            invited_by=invited_by,
            joined_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(Membership.user_id)
    )
    if await db.scalar(statement.execution_options(synchronize_session=False)) is None:
        return False
    await record(
        db,
        "members.joined",
        actor_id=user.id,
        actor_label=user.name,
        organization_id=organization.id,
        target_type="user",
        target_id=user.id,
        target_label=user.name,
        changes={"role": [None, role], "door": [None, door]},
        request=facts,
    )
    return True


async def require_admission(db: AsyncSession, organization: Organization, user: User) -> None:
    """Raises OutsideDomains for somebody without a verified address at a domain that the organization allows."""
    if organization.allowed_domains:
        addresses = await queries.list_verified(db, user)
        if not any(organization.admits(address) for address in addresses):
            raise OutsideDomains
