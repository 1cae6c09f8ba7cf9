"""Projects, for programs: the same queries, actions and permissions as the pages."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.audit.models import RequestFacts
from app.database import Db
from app.errors import Refusal
from app.idempotency import REFUSALS, Once
from app.language import N_
from app.organizations.api import NextCursor
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.models import Scope
from app.pagination import PAGING_HEADERS, Pager, page_response
from app.projects import actions, deletion, queries
from app.projects.forms import NewProject, ProjectChanges
from app.projects.handlers import get_deleted, get_project
from app.projects.listing import ProjectQuery, list_name
from app.projects.models import Project, ProjectStatus
from core.openapi import operation
from core.params import Body, Header, Query, Status
from core.requests import Request
from core.responses import Response

ETAG = {"ETag": "The version of the project (RFC 9110 section 8.8.3): what `If-Match` takes."}
TAKEN = {409: "Another project has this name."}
CHANGED = {412: "The project has changed since that version.", 428: "The header `If-Match` is missing."}

ViewingScope = Annotated[Scope, Allowed("projects.view")]
DeletingScope = Annotated[Scope, Allowed("projects.delete")]
IfMatch = Annotated[
    str | None,
    Header(description="The `ETag` of the version that you have seen, or `*` for whichever there is."),
    Field(max_length=100),
]


class NotThatVersion(Refusal):
    """The project is not any more what the program has seen (RFC 9110 section 15.5.13)."""

    status_code = 412

    def __init__(self) -> None:
        super().__init__(N_("Somebody else has changed this project in the meantime."))


class VersionNeeded(Refusal):
    """A change says which version it was made from, so that it undoes nobody else's (RFC 6585 section 3)."""

    status_code = 428

    def __init__(self) -> None:
        super().__init__(N_("Send the ETag of the version that you have seen in the header If-Match."))


class LeadOut(BaseModel):
    """Who answers for a project."""

    user_id: UUID
    name: Annotated[str, Field(examples=["Ada Lovelace"])]


class ProjectOut(BaseModel):
    """Something that an organization works on."""

    id: UUID
    name: Annotated[str, Field(examples=["New website"])]
    description: str
    status: ProjectStatus
    lead: LeadOut | None
    due_on: date | None
    created_at: datetime
    changed_at: datetime


class ProjectPage(BaseModel):
    """Some of an organization's projects."""

    items: list[ProjectOut]
    next_cursor: NextCursor


@operation(refusals=MOVED, headers=PAGING_HEADERS)
async def list_projects(
    request: Request, scope: ViewingScope, db: Db, query: Annotated[ProjectQuery, Query()]
) -> ProjectPage | Response:
    """List an organization's projects.

    The newest come first, unless `sort` says otherwise.
    """
    pager = Pager(request, query, list_name(scope.organization.id, query))
    listed = await queries.list_projects(db, scope, query.filter, query.sort, after=pager.after, limit=pager.limit)
    found = pager.page(listed, lambda each: each.position)
    items = [shown(each.project) for each in found.rows]
    return page_response(request, ProjectPage(items=items, next_cursor=found.next_cursor), found.next_cursor)


@operation(refusals={**MOVED, **TAKEN, **REFUSALS}, headers={**ETAG, "Location": "The address of the new project."})
async def create_project(
    request: Request,
    scope: Annotated[Scope, Allowed("projects.create")],
    db: Db,
    once: Once,
    project: Annotated[NewProject, Body(unique_names=True)],
) -> Annotated[ProjectOut | Response, Status(201)]:
    """Start a project.

    With an `Idempotency-Key` it is started once, however often the request is sent within a day.
    """
    if once.earlier is not None:
        return once.earlier
    made = await actions.create_project(db, scope, project.as_values, facts=RequestFacts.of(request))
    present = await queries.find_present(db, scope, made.id)
    location = f"{request.url.path}/{made.id}"
    return await once.keep(_answer(present or made, status_code=201, location=location))


@operation(refusals=MOVED, headers=ETAG)
async def show_project(scope: ViewingScope, db: Db, project_id: UUID) -> ProjectOut | Response:
    """Show a project."""
    return _answer(await get_project(db, scope, project_id))


@operation(refusals={**MOVED, **TAKEN, **CHANGED}, headers=ETAG)
async def update_project(
    request: Request,
    scope: Annotated[Scope, Allowed("projects.update")],
    db: Db,
    project_id: UUID,
    changes: Annotated[ProjectChanges, Body(unique_names=True)],
    if_match: IfMatch = None,
) -> ProjectOut | Response:
    """Change a project.

    What is left out stays. `If-Match` names the version that the change was made from.
    """
    project = await get_project(db, scope, project_id)
    version = _matched(project, if_match)
    values, facts = changes.values_for(project), RequestFacts.of(request)
    try:
        await actions.change_project(db, scope, project, values, version=version, facts=facts)
    except actions.ChangedMeanwhile:
        raise NotThatVersion from None
    return _answer(await queries.find_present(db, scope, project_id) or project)


@operation(refusals={**MOVED, **CHANGED})
async def delete_project(
    request: Request, scope: DeletingScope, db: Db, project_id: UUID, if_match: IfMatch = None
) -> None:
    """Delete a project.

    It can be restored for thirty days.
    """
    project = await get_project(db, scope, project_id)
    _matched(project, if_match or "*")
    await deletion.delete_project(db, scope, project, facts=RequestFacts.of(request))


@operation(refusals={**MOVED, **TAKEN}, headers=ETAG)
async def restore_project(request: Request, scope: DeletingScope, db: Db, project_id: UUID) -> ProjectOut | Response:
    """Restore a project that was deleted less than thirty days ago."""
    project = await get_deleted(db, scope, project_id)
    await deletion.restore_project(db, scope, project, facts=RequestFacts.of(request))
    return _answer(project)


def shown(project: Project) -> ProjectOut:
    """A project as programs see it. Its lead must be loaded."""
    lead = LeadOut(user_id=project.lead.id, name=project.lead.name) if project.lead else None
    return ProjectOut(
        id=project.id,
        name=project.name,
        description=project.description,
        status=ProjectStatus(project.status),
        lead=lead,
        due_on=project.due_on,
        created_at=project.created_at,
        changed_at=project.changed_at,
    )


def _answer(project: Project, *, status_code: int = 200, location: str | None = None) -> Response:
    headers = {"etag": _etag(project), **({"location": location} if location else {})}
    return Response(shown(project).model_dump_json(), status_code, headers, media_type="application/json")


def _etag(project: Project) -> str:
    return f'"{project.version}"'


def _matched(project: Project, if_match: str | None) -> int:
    """The version that a change is made from. Raises VersionNeeded and NotThatVersion."""
    if if_match is None:
        raise VersionNeeded
    named = {tag.strip() for tag in if_match.split(",")}
    if named.isdisjoint({"*", _etag(project)}):
        raise NotThatVersion
    return project.version
