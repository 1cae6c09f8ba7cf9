"""Deleting projects: gone at once for everybody, to be had back for thirty days, then erased."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.organizations.models import Scope
from app.projects.actions import ChangedMeanwhile, NameTaken, note
from app.projects.models import Project

KEPT = timedelta(days=30)
MOST_ERASED_AT_ONCE = 1000


async def delete_project(
    db: AsyncSession, scope: Scope, project: Project, *, facts: RequestFacts, version: int | None = None
) -> None:
    """Delete a project; with `version` only if it still has that one. Raises ChangedMeanwhile."""
    if version is not None and project.version != version:
        raise ChangedMeanwhile
    project.deleted_at, project.version = clock.now(), project.version + 1
    await note(db, "projects.deleted", scope, project, facts=facts, changes={"deleted": [False, True]})
    await db.flush()


async def restore_project(db: AsyncSession, scope: Scope, project: Project, *, facts: RequestFacts) -> None:
    """Bring a deleted project back. Raises NameTaken if another one has its name by now."""
    version = project.version + 1
    try:
        async with db.begin_nested():
            project.deleted_at, project.version = None, version
    except IntegrityError:
        raise NameTaken from None
    await note(db, "projects.restored", scope, project, facts=facts, changes={"deleted": [True, False]})


async def erase_deleted(db: AsyncSession) -> int:
    """Erase what was deleted thirty days ago, of all organizations (within `system_scope`); returns how many, a thousand at most."""
    due = select(Project.id).where(Project.deleted_at <= clock.now() - KEPT).limit(MOST_ERASED_AT_ONCE)
    statement = delete(Project).where(Project.id.in_(due)).returning(Project.organization_id, Project.id)
    gone = (await db.execute(statement.execution_options(synchronize_session=False))).all()
    for organization_id, project_id in gone:
        # Without its name: what is erased is not kept by the trail of its erasure.
        await record(
            db,
            "projects.erased",
            actor_id=None,
            organization_id=organization_id,
            target_type="project",
            target_id=project_id,
            request=RequestFacts(),
        )
    return len(gone)
