"""What this feature writes into the audit trail of an organization."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.audit.actions import Target, record_by
from app.audit.models import RequestFacts
from app.organizations.models import Organization, Scope

Changes = Mapping[str, list[Any]]  # Any: a value before and after, as JSON has it.


async def note(
    db: AsyncSession,
    action: str,
    organization: Organization,
    user: User,
    facts: RequestFacts,
    changes: Changes | None = None,
) -> None:
    """Note what somebody did to an organization as a whole."""
    target = ("organization", organization.id, organization.name)
    await note_by(db, action, organization, user, target, facts, changes)


async def note_about(
    db: AsyncSession,
    action: str,
    scope: Scope,
    target: Target,
    facts: RequestFacts,
    changes: Changes | None = None,
) -> None:
    """Note what a member did to something of the organization: its kind, id, and what it is called."""
    await note_by(db, action, scope.organization, scope.user, target, facts, changes)


async def note_by(
    db: AsyncSession,
    action: str,
    organization: Organization,
    user: User,
    target: Target,
    facts: RequestFacts,
    changes: Changes | None = None,
) -> None:
    """Note what somebody did who need not be a member, or not yet: as `note_about`."""
    await record_by(db, action, user, facts, target=target, organization_id=organization.id, changes=changes)
