"""Founding organizations and changing them."""

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.database import name_organization
from app.errors import Refusal
from app.ids import uuid7
from app.language import N_
from app.organizations.models import Membership, Organization, Scope
from app.organizations.slugs import slug_candidates
from app.policy import Role


class NoSlugLeft(Refusal):
    """Every address that was tried for a new organization is taken, which random endings make next to impossible."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(N_("We found no free address for your organization. Try again."))


async def create_personal_organization(
    db: AsyncSession, user: User, *, facts: RequestFacts, name: str | None = None
) -> Organization | None:
    """Give a person the organization that is theirs from the start, named as they are; None if they have one already.

    Raises NoSlugLeft. Names the new organization for the rest of the transaction.
    """
    organization_id = uuid7()
    await name_organization(db, organization_id)
    for slug in slug_candidates(name or user.name):
        organization = Organization(
            id=organization_id, slug=slug, name=name or user.name, kind="personal", created_by=user.id
        )
        try:
            async with db.begin_nested():
                db.add(organization)
        except IntegrityError as error:
            # Which slugs are taken cannot be asked beforehand: row-level security hides other people's organizations.
            if "uq_organizations_personal" in str(error.orig):
                return None
            continue
        await _found(db, organization, user, facts)
        return organization
    raise NoSlugLeft


async def rename(db: AsyncSession, scope: Scope, *, name: str, facts: RequestFacts) -> None:
    """Call the organization something else; its address stays."""
    before = scope.organization.name
    scope.organization.name = name
    scope.organization.named_at = clock.now()
    await _note(db, "organizations.renamed", scope.organization, scope.user, facts, changes={"name": [before, name]})


async def note_visit(db: AsyncSession, scope: Scope) -> None:
    """Remember where the person is, so that logging in leads there next time. Writes only when they changed place."""
    if scope.user.current_organization_id != scope.organization.id:
        statement = update(User).where(User.id == scope.user.id)
        await db.execute(statement.values(current_organization_id=scope.organization.id))


async def _found(db: AsyncSession, organization: Organization, user: User, facts: RequestFacts) -> None:
    db.add(Membership(organization_id=organization.id, user_id=user.id, role=Role.OWNER))
    await db.flush()
    user.current_organization_id = organization.id
    await _note(db, "organizations.created", organization, user, facts)


async def _note(
    db: AsyncSession,
    action: str,
    organization: Organization,
    user: User,
    facts: RequestFacts,
    changes: dict[str, list[str]] | None = None,
) -> None:
    await record(
        db,
        action,
        actor_id=user.id,
        actor_label=user.name,
        organization_id=organization.id,
        target_type="organization",
        target_id=organization.id,
        target_label=organization.name,
        changes=changes,
        request=facts,
    )
