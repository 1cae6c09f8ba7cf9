"""What is known about projects. Everything takes the scope and reads only its organization."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.accounts.models import Email, User
from app.audit.models import AuditEvent
from app.organizations.models import Membership, MembershipStatus, Scope
from app.pagination import Pages, Position, SortKey
from app.projects.listing import EVERY, ORDERS, ProjectFilter, ProjectOrder
from app.projects.models import Project
from app.reads import Read
from app.searching import containing

# So many people are offered as leads. Somebody who is not among them can still be named by programs.
MOST_OFFERED = 200
RECENT_EVENTS = 20
# What a project is to those who see each other on its page (`app.realtime.topics`).
PLACE = "project"
MOST_DELETED_SHOWN = 100


@dataclass(frozen=True)
class ListedProject:
    """A project with its lead, and the key that its place in the list goes by."""

    project: Project
    sort_key: SortKey

    @property
    def position(self) -> Position:
        return Position(self.sort_key, self.project.id)


def _listed(order: ProjectOrder) -> Select[Project, User, Email, SortKey]:
    statement: Select[Project, User, Email, SortKey] = (
        select(Project, User, Email, ORDERS[order.column].label("sort_key"))
        .outerjoin(Project.lead)
        .outerjoin(User.primary_email)
        .where(Project.organization_id == bindparam("organization_id"), Project.deleted_at.is_(None))
    )
    return statement


def _wanted(statement: Select[Project, User, Email, SortKey]) -> Select[Project, User, Email, SortKey]:
    status, lead_id = bindparam("status", type_=Text()), bindparam("lead_id", type_=Uuid())
    pattern = bindparam("pattern", type_=Text())
    return statement.where(
        or_(status.is_(None), Project.status == status),
        or_(lead_id.is_(None), Project.lead_id == lead_id),
        or_(
            pattern.is_(None),
            Project.name.ilike(pattern, escape="\\"),
            Project.description.ilike(pattern, escape="\\"),
        ),
    )


def _pages(
    statement: Select[Project, User, Email, SortKey], order: ProjectOrder
) -> Pages[Project, User, Email, SortKey]:
    place = (ORDERS[order.column], Project.id)
    return Pages(statement, Project.lead, User.primary_email, order=place, newest_first=order.is_backwards)


# A search looks at the organization's projects one by one, in the list's order, until a page is full: at ten thousand that is
# a matter of milliseconds, and needs no extension of PostgreSQL. With a hundred times as many, add a trigram index.
_ALL = {order: _pages(_listed(order), order) for order in ProjectOrder}
_FOUND = {order: _pages(_wanted(_listed(order)), order) for order in ProjectOrder}


async def list_projects(
    db: AsyncSession,
    scope: Scope,
    wanted: ProjectFilter = EVERY,
    order: ProjectOrder = ProjectOrder.NEWEST,
    *,
    after: Position | None = None,
    limit: int | None = None,
) -> Sequence[ListedProject]:
    """The organization's projects, with their leads and the leads' addresses."""
    organization_id = scope.organization.id
    if wanted.is_empty:
        rows = await _ALL[order].page(db, after, limit, organization_id=organization_id)
    else:
        values = {"status": wanted.status, "lead_id": wanted.lead_id, "pattern": containing(wanted.search)}
        rows = await _FOUND[order].page(db, after, limit, organization_id=organization_id, **values)
    return [ListedProject(project, sort_key) for project, _, _, sort_key in rows]


_PROJECT = Read(
    select(Project, User)
    .outerjoin(Project.lead)
    .where(
        Project.organization_id == bindparam("organization_id"),
        Project.id == bindparam("project_id"),
        Project.deleted_at.is_(None),
    ),
    Project.lead,
)


async def find_project(db: AsyncSession, scope: Scope, project_id: UUID) -> Project | None:
    """A project of the scope's organization, with its lead; None for others', missing and deleted ones."""
    row = await _PROJECT.first(db, organization_id=scope.organization.id, project_id=project_id)
    return row[0] if row else None


async def find_present(db: AsyncSession, scope: Scope, project_id: UUID) -> Project | None:
    """A project as it is now, even if the session has read an earlier state of it."""
    statement = (
        select(Project)
        .options(joinedload(Project.lead))
        .where(Project.organization_id == scope.organization.id, Project.id == project_id, Project.deleted_at.is_(None))
        .execution_options(populate_existing=True)
    )
    return await db.scalar(statement)


async def find_deleted(db: AsyncSession, scope: Scope, project_id: UUID) -> Project | None:
    """A project that was deleted and can be brought back, with its lead."""
    statement = select(Project).options(joinedload(Project.lead)).with_for_update(of=Project)
    return await db.scalar(
        statement.where(
            Project.organization_id == scope.organization.id, Project.id == project_id, Project.deleted_at.is_not(None)
        )
    )


async def list_deleted(db: AsyncSession, scope: Scope) -> Sequence[Project]:
    """What was deleted and can be brought back, the last on top, a hundred at most."""
    statement = select(Project).where(Project.organization_id == scope.organization.id, Project.deleted_at.is_not(None))
    return (await db.scalars(statement.order_by(Project.deleted_at.desc()).limit(MOST_DELETED_SHOWN))).all()


async def list_led(db: AsyncSession, scope: Scope, user_id: UUID) -> Sequence[Project]:
    """The projects that a member answers for, locked as by `list_for_change`."""
    statement = select(Project).where(*_led(scope, user_id))
    return (await db.scalars(statement.order_by(Project.id).with_for_update())).all()


async def count_led(db: AsyncSession, scope: Scope, user_id: UUID) -> int:
    """How many those are."""
    return await db.scalar(select(func.count()).select_from(Project).where(*_led(scope, user_id))) or 0


def _led(scope: Scope, user_id: UUID) -> list[ColumnElement[bool]]:
    organization_id = scope.organization.id
    return [Project.organization_id == organization_id, Project.lead_id == user_id, Project.deleted_at.is_(None)]


async def list_for_change(db: AsyncSession, scope: Scope, ids: Iterable[UUID]) -> Sequence[Project]:
    """Those of the projects that there are, locked until the transaction ends, in an order that all agree on."""
    statement = select(Project).where(
        Project.organization_id == scope.organization.id, Project.id.in_(list(ids)), Project.deleted_at.is_(None)
    )
    return (await db.scalars(statement.order_by(Project.id).with_for_update())).all()


_POSSIBLE_LEADS = Read(
    select(User)
    .join(Membership, Membership.user_id == User.id)
    .where(
        Membership.organization_id == bindparam("organization_id"),
        Membership.status == MembershipStatus.ACTIVE,
    )
    .order_by(Membership.joined_at, Membership.user_id)
    .limit(MOST_OFFERED)
)


async def list_possible_leads(db: AsyncSession, scope: Scope) -> Sequence[User]:
    """Who can answer for a project: active members, by name; of a crowd those who joined first."""
    people = [user for (user,) in await _POSSIBLE_LEADS.all(db, organization_id=scope.organization.id)]
    return sorted(people, key=lambda user: user.name.casefold())


async def find_possible_lead(db: AsyncSession, scope: Scope, user_id: UUID) -> User | None:
    """An active member of the scope's organization."""
    statement = (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organization_id == scope.organization.id,
            Membership.status == MembershipStatus.ACTIVE,
            User.id == user_id,
        )
    )
    return await db.scalar(statement)


async def find_leads_by_address(db: AsyncSession, scope: Scope, addresses: Iterable[str]) -> dict[str, UUID]:
    """The active members who have one of these verified addresses, by the address in lower case."""
    statement = (
        select(func.lower(Email.address), Membership.user_id)
        .join(Membership, Membership.user_id == Email.user_id)
        .where(
            Membership.organization_id == scope.organization.id,
            Membership.status == MembershipStatus.ACTIVE,
            Email.verified_at.is_not(None),
            func.lower(Email.address).in_([address.lower() for address in addresses]),
        )
    )
    return {row[0]: row[1] for row in await db.execute(statement)}


async def find_taken_names(db: AsyncSession, scope: Scope, names: Iterable[str]) -> set[str]:
    """Which of the names projects have already, in lower case."""
    statement = select(func.lower(Project.name)).where(
        Project.organization_id == scope.organization.id,
        Project.deleted_at.is_(None),
        func.lower(Project.name).in_([name.lower() for name in names]),
    )
    return set(await db.scalars(statement))


_ACTIVITY = Read(
    select(AuditEvent)
    .where(
        AuditEvent.organization_id == bindparam("organization_id"),
        AuditEvent.target_type == "project",
        AuditEvent.target_id == bindparam("project_id"),
    )
    .order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc())
    .limit(RECENT_EVENTS)
)


async def list_activity(db: AsyncSession, scope: Scope, project: Project) -> list[AuditEvent]:
    """What happened to a project lately, the newest first."""
    rows = await _ACTIVITY.all(db, organization_id=scope.organization.id, project_id=project.id)
    return [event for (event,) in rows]


async def count_projects(db: AsyncSession, scope: Scope) -> int:
    """How many projects the organization has, without the deleted ones."""
    statement = select(func.count()).select_from(Project)
    count = await db.scalar(
        statement.where(Project.organization_id == scope.organization.id, Project.deleted_at.is_(None))
    )
    return count or 0
