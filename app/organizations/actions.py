"""Founding organizations and changing them."""

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app import clock
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.database import name_organization
from app.errors import Refusal
from app.ids import uuid7
from app.language import N_
from app.organizations.models import FormerSlug, Membership, Organization, OrganizationKind, Scope
from app.organizations.recording import note
from app.organizations.slugs import slug_candidates
from app.policy import Role


class NoSlugLeft(Refusal):
    """Every address that was tried for a new organization is taken, which random endings make next to impossible."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(N_("We found no free address for your organization. Try again."))


class SlugTaken(Refusal):
    """Another organization has, or had, this address."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("This address is taken. Choose another one."))


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


async def create_team(db: AsyncSession, user: User, *, name: str, slug: str, facts: RequestFacts) -> Organization:
    """Found an organization for several people, owned by whoever founds it. Raises SlugTaken.

    Names the new organization for the rest of the transaction.
    """
    organization = Organization(
        id=uuid7(), slug=slug, name=name, kind=OrganizationKind.TEAM, created_by=user.id, named_at=clock.now()
    )
    await name_organization(db, organization.id)
    try:
        async with db.begin_nested():
            db.add(organization)
    except IntegrityError:
        raise SlugTaken from None
    await _found(db, organization, user, facts)
    return organization


async def rename(db: AsyncSession, scope: Scope, *, name: str, facts: RequestFacts) -> None:
    """Call the organization something else; its address stays."""
    before = scope.organization.name
    scope.organization.name = name
    scope.organization.named_at = clock.now()
    await note(db, "organizations.renamed", scope.organization, scope.user, facts, {"name": [before, name]})


async def change_defaults(db: AsyncSession, scope: Scope, *, facts: RequestFacts, **values: str | None) -> None:
    """Change the `locale` or `time_zone` of members who have chosen none; what is the same already is not noted."""
    organization = scope.organization
    changes: dict[str, list[str | None]] = {
        name: [getattr(organization, name), value]
        for name, value in values.items()
        if getattr(organization, name) != value
    }
    for name, (_, value) in changes.items():
        setattr(organization, name, value)
    if changes:
        await note(db, "organizations.defaults_changed", organization, scope.user, facts, changes)


async def change_slug(db: AsyncSession, scope: Scope, *, slug: str, facts: RequestFacts) -> None:
    """Move the organization to another address; the one before leads there from now on. Raises SlugTaken."""
    organization, before = scope.organization, scope.organization.slug
    if slug == before:
        return
    statement = update(Organization).where(Organization.id == organization.id).values(slug=slug)
    try:
        async with db.begin_nested():
            await db.execute(statement.execution_options(synchronize_session=False))
    except IntegrityError:
        raise SlugTaken from None
    # An address that it had before may be its address again.
    await db.execute(delete(FormerSlug).where(FormerSlug.slug == slug, FormerSlug.organization_id == organization.id))
    db.add(FormerSlug(slug=before, organization_id=organization.id))
    set_committed_value(organization, "slug", slug)
    await note(db, "organizations.moved", organization, scope.user, facts, {"slug": [before, slug]})


async def become_team(db: AsyncSession, scope: Scope, *, facts: RequestFacts) -> None:
    """Make a personal organization a team's, which can be handed over, left and deleted."""
    before = scope.organization.kind
    if before == OrganizationKind.TEAM:
        return
    scope.organization.kind = OrganizationKind.TEAM
    await note(db, "organizations.became_team", scope.organization, scope.user, facts, {"kind": [before, "team"]})


async def note_visit(db: AsyncSession, scope: Scope) -> None:
    """Remember where the person is, so that logging in leads there next time. Writes only when they changed place."""
    if scope.user.current_organization_id != scope.organization.id:
        statement = update(User).where(User.id == scope.user.id)
        visited = statement.values(current_organization_id=scope.organization.id)
        await db.execute(visited.execution_options(unrecorded="Looking at pages changes nothing that anybody decides."))


async def _found(db: AsyncSession, organization: Organization, user: User, facts: RequestFacts) -> None:
    db.add(Membership(organization_id=organization.id, user_id=user.id, role=Role.OWNER))
    await db.flush()
    user.current_organization_id = organization.id
    await note(db, "organizations.created", organization, user, facts)
