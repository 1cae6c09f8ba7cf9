"""The pages of projects: the list, one project, and the forms that change them."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

from app.accounts.models import User
from app.audit.models import RequestFacts
from app.database import Db
from app.errors import Refusal
from app.language import gettext as _
from app.language import ngettext
from app.organizations.dependencies import Allowed
from app.organizations.models import Scope
from app.pages import path_of, see
from app.pagination import Pager
from app.projects import actions, deletion, queries
from app.projects.actions import ProjectValues
from app.projects.forms import ChangeForm, ProjectForm, StatusForm
from app.projects.listing import ProjectQuery, list_name
from app.projects.models import Project, ProjectStatus
from app.projects.status_names import status_name
from app.realtime.presence import find_others
from app.templates import flash, render
from core.exceptions import HTTPException
from core.params import Query, Submitted
from core.requests import Request
from core.responses import RedirectResponse, Response

ViewingScope = Annotated[Scope, Allowed("projects.view")]
CreatingScope = Annotated[Scope, Allowed("projects.create")]
ChangingScope = Annotated[Scope, Allowed("projects.update")]
DeletingScope = Annotated[Scope, Allowed("projects.delete")]
ListQuery = Annotated[ProjectQuery, Query()]


async def projects(request: Request, scope: ViewingScope, db: Db, query: ListQuery) -> Response:
    """List the organization's projects, in pages."""
    pager = Pager(request, query, list_name(scope.organization.id, query))
    listed = await queries.list_projects(db, scope, query.filter, query.sort, after=pager.after, limit=pager.limit)
    page = pager.page(listed, lambda each: each.position)
    return render(
        request,
        "projects/projects.html",
        projects=[each.project for each in page.rows],
        next_query=query.as_query(cursor=page.next_cursor) if page.next_cursor else None,
        query=query,
        leads=_options(await queries.list_possible_leads(db, scope)),
        **_names(),
    )


async def project(request: Request, scope: ViewingScope, db: Db, project_id: UUID) -> Response:
    """Show a project and what happened to it lately."""
    found = await get_project(db, scope, project_id)
    events = await queries.list_activity(db, scope, found)
    others = await find_others(db, scope, f"{queries.PLACE}:{found.id}")
    return render(request, "projects/project.html", project=found, events=events, others=others, **_names())


async def new(request: Request, scope: CreatingScope, db: Db) -> Response:
    """Ask what the project is about."""
    return await _show_form(request, db, scope, Submitted.blank(ProjectForm))


async def create(request: Request, scope: CreatingScope, db: Db, form: Submitted[ProjectForm]) -> Response:
    """Start a project."""
    if form.is_valid:
        try:
            made = await actions.create_project(db, scope, form.data.as_values, facts=RequestFacts.of(request))
        except (actions.NameTaken, actions.NotAMember) as refusal:
            _show_refusal(form, refusal)
        else:
            flash(request, _("%(name)s is started.") % {"name": made.name})
            return _see_project(request, scope, made)
    return await _show_form(request, db, scope, form)


async def edit(request: Request, scope: ChangingScope, db: Db, project_id: UUID) -> Response:
    """Show what can be changed about a project."""
    found = await get_project(db, scope, project_id)
    form = Submitted.blank(ChangeForm, version=found.version, **vars(ProjectValues.of(found)))
    return await _show_form(request, db, scope, form, found)


async def change(
    request: Request, scope: ChangingScope, db: Db, project_id: UUID, form: Submitted[ChangeForm]
) -> Response:
    """Change a project, unless somebody else did while the form was open."""
    found = await get_project(db, scope, project_id)
    if form.is_valid:
        try:
            await _change(request, db, scope, found, form.data)
        except actions.ChangedMeanwhile:
            return await _show_conflict(request, db, scope, project_id, form)
        except (actions.NameTaken, actions.NotAMember) as refusal:
            _show_refusal(form, refusal)
        else:
            flash(request, _("Your changes are saved."))
            return _see_project(request, scope, found)
    return await _show_form(request, db, scope, form, found)


async def delete(request: Request, scope: DeletingScope, db: Db, project_id: UUID) -> Response:
    """Delete a project, and offer to undo that."""
    found = await get_project(db, scope, project_id)
    await deletion.delete_project(db, scope, found, facts=RequestFacts.of(request))
    undo = path_of(request, "projects.restore", slug=scope.organization.slug, project_id=found.id)
    flash(request, _("%(name)s is deleted.") % {"name": found.name}, undo=undo)
    return see(request, "projects.projects", slug=scope.organization.slug)


async def restore(request: Request, scope: DeletingScope, db: Db, project_id: UUID) -> Response:
    """Bring a deleted project back."""
    found = await get_deleted(db, scope, project_id)
    try:
        await deletion.restore_project(db, scope, found, facts=RequestFacts.of(request))
    except actions.NameTaken as refusal:
        flash(request, _(refusal.message), "danger")
        return see(request, "projects.deleted", slug=scope.organization.slug)
    flash(request, _("%(name)s is back.") % {"name": found.name})
    return _see_project(request, scope, found)


async def deleted(request: Request, scope: DeletingScope, db: Db) -> Response:
    """Show what can still be brought back."""
    found = await queries.list_deleted(db, scope)
    return render(request, "projects/deleted.html", projects=found, kept=deletion.KEPT)


async def change_status(
    request: Request, scope: ChangingScope, db: Db, query: ListQuery, form: Submitted[StatusForm]
) -> Response:
    """Set the status of the chosen projects, and show the same list again."""
    if form.is_valid:
        count = await actions.change_status(
            db, scope, form.data.ids, status=form.data.status, facts=RequestFacts.of(request)
        )
        said = ngettext("%(num)s project is now: %(status)s.", "%(num)s projects are now: %(status)s.", count)
        flash(request, said % {"num": count, "status": status_name(form.data.status)})
    else:
        flash(request, _("Choose the projects that you want to change, and what they become."), "warning")
    path = path_of(request, "projects.projects", slug=scope.organization.slug)
    return RedirectResponse(f"{path}?{query.as_query(cursor=query.cursor)}", status_code=303)


async def get_project(db: Db, scope: Scope, project_id: UUID) -> Project:
    """A project of the scope's organization. Raises HTTPException(404), also for others' and for deleted ones."""
    found = await queries.find_project(db, scope, project_id)
    if found is None:
        raise HTTPException(404)
    return found


async def get_deleted(db: Db, scope: Scope, project_id: UUID) -> Project:
    """A deleted project that can be brought back. Raises HTTPException(404)."""
    found = await queries.find_deleted(db, scope, project_id)
    if found is None:
        raise HTTPException(404)
    return found


async def _change(request: Request, db: Db, scope: Scope, found: Project, data: ChangeForm) -> None:
    facts = RequestFacts.of(request)
    await actions.change_project(db, scope, found, data.as_values, version=data.version, facts=facts)


async def _show_conflict(
    request: Request, db: Db, scope: Scope, project_id: UUID, form: Submitted[ChangeForm]
) -> Response:
    """Show both versions. Saving again means: I have seen the other one, and mine is to stay."""
    present = await queries.find_present(db, scope, project_id)
    if present is None:
        raise HTTPException(404)
    form.values["version"] = present.version
    theirs, own = ProjectValues.of(present), form.data.as_values
    changed = [name for name in vars(own) if vars(own)[name] != vars(theirs)[name]]
    conflict = {name: (vars(theirs)[name], vars(own)[name]) for name in changed}
    return await _show_form(request, db, scope, form, present, status_code=409, conflict=conflict)


async def _show_form(
    request: Request,
    db: Db,
    scope: Scope,
    form: Submitted[Any],  # Any: of a new project or of one that there is.
    project: Project | None = None,
    **context: Any,  # Any: what render takes.
) -> Response:
    leads = await queries.list_possible_leads(db, scope)
    if project is not None and project.lead is not None and project.lead not in leads:
        leads = [project.lead, *leads]
    template = "projects/edit.html" if project else "projects/new.html"
    shown = {"conflict": None, **context, **_names()}
    return render(request, template, form=form, project=project, leads=_options(leads), **shown)


def _show_refusal(form: Submitted[Any], refusal: Refusal) -> None:  # Any: as above.
    form.add_error("lead_id" if isinstance(refusal, actions.NotAMember) else "name", _(refusal.message))


def _see_project(request: Request, scope: Scope, project: Project) -> Response:
    return see(request, "projects.project", slug=scope.organization.slug, project_id=project.id)


def _options(people: Iterable[User]) -> list[tuple[UUID, str]]:
    return [(person.id, person.name) for person in people]


def _names() -> dict[str, Any]:  # Any: what templates take.
    return {"statuses": [(status, status_name(status)) for status in ProjectStatus], "status_name": status_name}
