"""Starting the projects of a file: asked for in a request, done by the worker, all or none."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import RequestFacts
from app.database import Database, system_scope, user_named
from app.errors import Refusal
from app.ids import uuid7
from app.jobs.actions import enqueue
from app.jobs.models import JobProgress
from app.jobs.progress import Reporter, begin_progress
from app.jobs.queries import get_progress
from app.language import N_
from app.language import gettext as _
from app.notifications.actions import notify
from app.notifications.kinds import WORK_DONE, WORK_FAILED, Kind
from app.notifications.queries import find_receiver
from app.organizations.dependencies import NotAllowed, find_scope, require_permission
from app.organizations.models import Organization, Scope
from app.projects.actions import ProjectValues, new_project, note_creation
from app.projects.importing import Review
from app.projects.models import ProjectImport
from app.tokens.models import Credential

AT_A_TIME = 100  # After so many, the person's page is told how far the work is.
ROWS = TypeAdapter(list[ProjectValues])


class NothingImported(Refusal):
    """Some line has a mistake, so that none is imported."""

    def __init__(self) -> None:
        super().__init__(N_("Nothing was imported. Correct the lines below and upload the file again."))


class ChangedSinceChecked(Refusal):
    """Between the check and the import somebody took one of the names, or a lead left."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(
            N_(
                "Nothing was imported: since the file was checked one of its names was taken, or one of its leads left. "
                "Upload it again to see which."
            )
        )


async def request_import(
    db: AsyncSession, scope: Scope, reviewed: Review, *, result_path: str, facts: RequestFacts
) -> JobProgress:
    """Have the worker start all projects of a file: returns how far it is. Raises NothingImported."""
    if not reviewed.can_be_imported:
        raise NothingImported
    organization_id, user_id, import_id = scope.organization.id, scope.user.id, uuid7()
    rows = ROWS.dump_python(reviewed.ready, mode="json")
    db.add(ProjectImport(id=import_id, organization_id=organization_id, created_by=user_id, rows=rows))
    arguments = {"import_id": import_id, "user_id": user_id, "slug": scope.organization.slug, "facts": facts}
    await enqueue(db, "projects.import", arguments, organization_id=organization_id)
    title = _("Importing projects")
    return await begin_progress(db, user_id=user_id, title=title, id=import_id, result_path=result_path)


async def start_projects(
    database: Database, progress: Reporter, *, import_id: UUID, user_id: UUID, slug: str, facts: RequestFacts
) -> None:
    """Start what waits, for somebody who may still import. Running it again changes nothing.

    Raises NotAllowed and ChangedSinceChecked, and has started nothing then.
    """
    async with database.transaction() as db:
        scope = await _importing_scope(db, user_id, slug, facts)
        key = {"organization_id": scope.organization.id, "id": import_id}
        waiting = await db.get(ProjectImport, key, with_for_update=True)
        if waiting is None:
            return
        await _start_all(db, scope, ROWS.validate_python(waiting.rows), progress, facts)
        await db.delete(waiting)
        await _tell(db, WORK_DONE, scope.organization, user_id, import_id)


async def give_up(database: Database, import_id: UUID) -> None:
    """Forget what waits, and tell the person."""
    async with database.transaction() as db, system_scope(db):
        statement = delete(ProjectImport).where(ProjectImport.id == import_id)
        waiting = await db.scalar(statement.returning(ProjectImport))
        if waiting is not None:
            organization = await db.get_one(Organization, waiting.organization_id)
            await _tell(db, WORK_FAILED, organization, waiting.created_by, import_id)


async def forget_imports(db: AsyncSession, *, before: datetime) -> None:
    """Forget what no worker ever came to the end of."""
    await db.execute(delete(ProjectImport).where(ProjectImport.created_at < before))


async def _importing_scope(db: AsyncSession, user_id: UUID, slug: str, facts: RequestFacts) -> Scope:
    """The scope of whoever asked, as it is now: they may have left, or have another role. Raises NotAllowed."""
    await db.execute(select(user_named(user_id)))
    user = await find_receiver(db, user_id)
    scope = await find_scope(db, Credential(user), slug, request_id=facts.request_id or "") if user else None
    if scope is None:
        raise NotAllowed
    require_permission(scope, "projects.import")
    return scope


async def _start_all(
    db: AsyncSession, scope: Scope, rows: Sequence[ProjectValues], progress: Reporter, facts: RequestFacts
) -> None:
    try:
        async with db.begin_nested():
            for first in range(0, len(rows), AT_A_TIME):
                await progress.advance(first, of=len(rows))
                await _start_some(db, scope, rows[first : first + AT_A_TIME], facts)
    except IntegrityError:
        raise ChangedSinceChecked from None
    await progress.advance(len(rows), of=len(rows))


async def _start_some(db: AsyncSession, scope: Scope, rows: Sequence[ProjectValues], facts: RequestFacts) -> None:
    projects = [new_project(scope, values) for values in rows]
    db.add_all(projects)
    for project in projects:
        await note_creation(db, scope, project, facts=facts)
    await db.flush()


async def _tell(db: AsyncSession, kind: Kind, organization: Organization, user_id: UUID, import_id: UUID) -> None:
    work = (await get_progress(db, user_id, import_id)).title
    data = {"work": work, "organization": organization.name, "progress_id": f"{import_id}"}
    await notify(db, kind, user_id, organization_id=organization.id, data=data)
