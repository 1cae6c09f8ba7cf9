"""The organization's pages: its dashboard, its members, its settings."""

from typing import Annotated

from app.accounts.dependencies import CurrentUser
from app.audit.models import AuditEvent, RequestFacts
from app.audit.queries import list_events
from app.database import Db
from app.language import gettext as _
from app.organizations import actions, queries
from app.organizations.dependencies import Allowed
from app.organizations.first_steps import first_steps
from app.organizations.forms import OrganizationForm
from app.organizations.models import Scope
from app.templates import flash, render
from core.params import Submitted
from core.requests import Request
from core.responses import RedirectResponse, Response

RECENT_EVENTS = 8


async def home(request: Request, user: CurrentUser, db: Db) -> Response:
    """Lead to the organization that was open last, whichever that is."""
    slug = await queries.find_last_slug(db, user)
    if slug is None:
        return render(request, "organizations/none.html")
    return _see(request, "organizations.dashboard", slug=slug)


async def create_personal(request: Request, user: CurrentUser, db: Db) -> Response:
    """Give somebody who belongs to no organization their own."""
    await actions.create_personal_organization(db, user, facts=RequestFacts.of(request))
    return _see(request, "organizations.home")


async def dashboard(request: Request, scope: Annotated[Scope, Allowed("organization.view")], db: Db) -> Response:
    """Show where the organization stands: its first steps and what happened lately."""
    await actions.note_visit(db, scope)
    events = await _recent_events(db, scope)
    steps = first_steps(scope, settings_path=_path(request, "organizations.settings", slug=scope.organization.slug))
    return render(request, "organizations/dashboard.html", steps=steps, events=events)


async def members(request: Request, scope: Annotated[Scope, Allowed("members.view")], db: Db) -> Response:
    """List the organization's members."""
    return render(request, "organizations/members.html", members=await queries.list_members(db, scope))


async def settings(request: Request, scope: Annotated[Scope, Allowed("organization.update")]) -> Response:
    """Show what can be changed about the organization."""
    form = Submitted.blank(OrganizationForm, name=scope.organization.name)
    return render(request, "organizations/settings.html", form=form)


async def update(
    request: Request,
    scope: Annotated[Scope, Allowed("organization.update")],
    db: Db,
    form: Submitted[OrganizationForm],
) -> Response:
    """Change the organization's name."""
    if form.is_valid:
        await actions.rename(db, scope, name=form.data.name, facts=RequestFacts.of(request))
        flash(request, _("The organization is now called %(name)s.") % {"name": form.data.name})
        return _see(request, "organizations.settings", slug=scope.organization.slug)
    return render(request, "organizations/settings.html", form=form)


async def _recent_events(db: Db, scope: Scope) -> list[AuditEvent] | None:
    """The last events, or None for members who may not see them."""
    if not scope.allows("audit.view"):
        return None
    return list(await list_events(db, organization_id=scope.organization.id, limit=RECENT_EVENTS))


def _see(request: Request, route: str, **parameters: str) -> Response:
    headers = {"cache-control": "no-store"}
    return RedirectResponse(_path(request, route, **parameters), status_code=303, headers=headers)


def _path(request: Request, route: str, **parameters: str) -> str:
    return str(request.app.url_path_for(route, **parameters))
