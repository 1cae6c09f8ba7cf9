"""Starting projects and changing them. Every change is noted in the audit trail, with what was before."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app import clock
from app.audit.models import RequestFacts
from app.errors import Refusal
from app.ids import uuid7
from app.language import N_
from app.organizations.models import Scope
from app.organizations.recording import note_about
from app.projects import queries
from app.projects.models import Project, ProjectStatus

Changes = Mapping[str, list[Any]]  # Any: a value before and after, as JSON has it.


class NameTaken(Refusal):
    """Another project of the organization is called that."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("Another project has this name. Choose a different one."))


class NotAMember(Refusal):
    """Only active members of the organization can lead a project."""

    def __init__(self) -> None:
        super().__init__(N_("Choose an active member of the organization."))


class ChangedMeanwhile(Refusal):
    """The project is not any more what the person saw when they began to change it."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("Somebody else has changed this project in the meantime."))


@dataclass(frozen=True)
class ProjectValues:
    """All that people say about a project."""

    name: str
    description: str = ""
    status: str = ProjectStatus.PLANNED
    lead_id: UUID | None = None
    due_on: date | None = None

    @classmethod
    def of(cls, project: Project) -> "ProjectValues":
        return cls(project.name, project.description, project.status, project.lead_id, project.due_on)


async def create_project(db: AsyncSession, scope: Scope, values: ProjectValues, *, facts: RequestFacts) -> Project:
    """Start a project. Raises NameTaken and NotAMember."""
    await _require_lead(db, scope, values.lead_id)
    project = new_project(scope, values)
    try:
        async with db.begin_nested():
            db.add(project)
    except IntegrityError:
        raise NameTaken from None
    await note_creation(db, scope, project, facts=facts)
    return project


def new_project(scope: Scope, values: ProjectValues) -> Project:
    """A project that is not yet in the database."""
    return Project(
        id=uuid7(), organization_id=scope.organization.id, created_by=scope.user.id, version=1, **asdict(values)
    )


async def change_project(
    db: AsyncSession, scope: Scope, project: Project, values: ProjectValues, *, version: int, facts: RequestFacts
) -> None:
    """Change a project that the person saw in its `version`. Raises ChangedMeanwhile, NameTaken and NotAMember.

    Saving what is there already changes nothing, and is not noted.
    """
    if project.version != version:
        raise ChangedMeanwhile
    changes = differences(ProjectValues.of(project), values)
    if not changes:
        return
    if "lead_id" in changes:
        await _require_lead(db, scope, values.lead_id)
    await _update(db, project, **asdict(values))
    await note(db, "projects.changed", scope, project, facts=facts, changes=changes)


async def change_status(
    db: AsyncSession, scope: Scope, ids: Iterable[UUID], *, status: ProjectStatus, facts: RequestFacts
) -> int:
    """Set the status of several projects; returns how many it changed. What does not exist is passed over."""
    projects = [each for each in await queries.list_for_change(db, scope, ids) if each.status != status]
    now = clock.now()
    for project in projects:
        changes = {"status": [project.status, status]}
        project.status, project.version, project.changed_at = status, project.version + 1, now
        await note(db, "projects.changed", scope, project, facts=facts, changes=changes)
    await db.flush()
    return len(projects)


async def hand_over(db: AsyncSession, scope: Scope, user_id: UUID, successor_id: UUID, *, facts: RequestFacts) -> None:
    """Have another member answer for all that one has answered for, open or done."""
    now, changes = clock.now(), {"lead_id": [_plain(user_id), _plain(successor_id)]}
    for project in await queries.list_led(db, scope, user_id):
        project.lead_id, project.version, project.changed_at = successor_id, project.version + 1, now
        await note(db, "projects.changed", scope, project, facts=facts, changes=changes)
    await db.flush()


def differences(before: ProjectValues, after: ProjectValues) -> dict[str, list[Any]]:
    """What differs, by field, as the audit trail keeps it: `[before, after]`."""
    old, new = asdict(before), asdict(after)
    return {name: [_plain(old[name]), _plain(new[name])] for name in old if old[name] != new[name]}


async def note_creation(db: AsyncSession, scope: Scope, project: Project, *, facts: RequestFacts) -> None:
    said = {name: value for name, value in asdict(ProjectValues.of(project)).items() if value}
    changes = {name: [None, _plain(value)] for name, value in said.items()}
    await note(db, "projects.created", scope, project, facts=facts, changes=changes)


async def note(
    db: AsyncSession,
    action: str,
    scope: Scope,
    project: Project,
    *,
    facts: RequestFacts,
    changes: Changes | None = None,
) -> None:
    """Note what a member did to a project."""
    await note_about(db, action, scope, ("project", project.id, project.name), facts, changes)


async def _require_lead(db: AsyncSession, scope: Scope, lead_id: UUID | None) -> None:
    # The database would refuse a stranger, too; it cannot know that a suspended member is no lead.
    if lead_id is not None and await queries.find_possible_lead(db, scope, lead_id) is None:
        raise NotAMember


async def _update(db: AsyncSession, project: Project, **values: Any) -> None:  # Any: of the columns' types.
    """Write the values if the project still has the version that was read. Raises ChangedMeanwhile and NameTaken.

    One statement compares and writes: of two that begin with the same version, one finds none to change.
    """
    written = {**values, "version": project.version + 1, "changed_at": clock.now()}
    statement = update(Project).where(
        Project.organization_id == project.organization_id,
        Project.id == project.id,
        Project.version == project.version,
        Project.deleted_at.is_(None),
    )
    changed = statement.values(**written).returning(Project.id).execution_options(synchronize_session=False)
    try:
        async with db.begin_nested():
            found = await db.scalar(changed)
    except IntegrityError:
        raise NameTaken from None
    if found is None:
        raise ChangedMeanwhile
    for name, value in written.items():
        set_committed_value(project, name, value)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID | date) else value
