"""Projects by GraphQL: the same queries and permissions as the pages. `app.api.graphql_schema` finds this file by its name."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry

from app.api.fields import Info, described
from app.pagination import DEFAULT_LIMIT, LARGEST_LIMIT, Pager
from app.projects import models, queries
from app.projects.listing import ProjectOrder, ProjectQuery, list_name
from core.exceptions import HTTPException


@strawberry.type
class Project:
    """Something that an organization works on."""

    id: UUID
    name: str
    description: str
    status: str
    lead: str | None = strawberry.field(description="The name of the member who answers for it.")
    due_on: date | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, project: models.Project) -> "Project":
        named = ("id", "name", "description", "status", "due_on", "created_at", "changed_at")
        lead = project.lead.name if project.lead else None
        return cls(lead=lead, **{name: getattr(project, name) for name in named})


@strawberry.type
class ProjectPage:
    """Some of an organization's projects."""

    items: list[Project]
    next_cursor: str | None = strawberry.field(description="`after` of the next page; null on the last.")


@strawberry.type
class Query:
    """What can be asked about projects."""

    @described("An organization's projects in pages, the newest first unless `sort` says otherwise.")
    async def projects(
        self,
        info: Info,
        organization: str,
        first: int = DEFAULT_LIMIT,
        after: str | None = None,
        search: str = "",
        status: str | None = None,
        lead: UUID | None = None,
        sort: str = ProjectOrder.NEWEST.value,
    ) -> ProjectPage | None:
        query = _asked(first, after, search=search, status=status, lead=lead, sort=sort)
        scope = await info.context.scope_in(organization, "projects.view")
        pager = Pager(info.context.connection, query, list_name(scope.organization.id, query))
        async with info.context.acting_in(scope, "projects.view") as db:
            listed = await queries.list_projects(
                db, scope, query.filter, query.sort, after=pager.after, limit=pager.limit
            )
        page = pager.page(listed, lambda each: each.position)
        return ProjectPage(items=[Project.of(each.project) for each in page.rows], next_cursor=page.next_cursor)

    @described("A project of an organization. Others' are as missing as those that do not exist.")
    async def project(self, info: Info, organization: str, id: UUID) -> Project | None:
        scope = await info.context.scope_in(organization, "projects.view")
        async with info.context.acting_in(scope, "projects.view") as db:
            found = await queries.find_project(db, scope, id)
        if found is None:
            raise HTTPException(404)
        return Project.of(found)


def _asked(first: int, after: str | None, **wanted: Any) -> ProjectQuery:  # Any: as GraphQL typed it.
    if not 1 <= first <= LARGEST_LIMIT:
        raise HTTPException(422, f"`first` is a number from 1 to {LARGEST_LIMIT}.")
    try:
        return ProjectQuery(limit=first, cursor=after, **wanted)
    except ValueError:
        raise HTTPException(422, "`search`, `status` or `sort` has a value that there is not.") from None
