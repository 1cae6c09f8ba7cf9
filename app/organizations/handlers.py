"""The organization's pages: its dashboard and its settings."""

from typing import Annotated

from app.accounts.dependencies import CurrentUser
from app.audit.models import AuditEvent, RequestFacts
from app.audit.queries import list_events
from app.config import CurrentSettings
from app.database import Db
from app.language import gettext as _
from app.organizations import actions, queries
from app.organizations.activity import sentences
from app.organizations.dependencies import Allowed
from app.organizations.first_steps import first_steps
from app.organizations.forms import DefaultsForm, OrganizationForm, SlugForm
from app.organizations.models import Scope
from app.pages import path_of, see
from app.preferences import language_options
from app.templates import flash, render
from app.time_zones import time_zones
from core.params import Submitted
from core.requests import Request
from core.responses import Response

RECENT_EVENTS = 8


async def home(request: Request, user: CurrentUser, db: Db) -> Response:
    """Lead to the organization that was open last, whichever that is."""
    slug = await queries.find_last_slug(db, user)
    if slug is None:
        return render(request, "organizations/none.html")
    return see(request, "organizations.dashboard", slug=slug)


async def create_personal(request: Request, user: CurrentUser, db: Db) -> Response:
    """Give somebody who belongs to no organization their own."""
    await actions.create_personal_organization(db, user, facts=RequestFacts.of(request))
    return see(request, "organizations.home")


async def dashboard(
    request: Request, scope: Annotated[Scope, Allowed("organization.view")], db: Db, settings: CurrentSettings
) -> Response:
    """Show where the organization stands: its first steps and what happened lately."""
    await actions.note_visit(db, scope)
    events = await _recent_events(db, scope)
    steps = first_steps(scope, settings_path=path_of(request, "organizations.settings", slug=scope.organization.slug))
    said = await sentences(db, scope, events or (), product=settings.product_name)
    return render(request, "organizations/dashboard.html", steps=steps, events=events, said=said)


async def settings(request: Request, scope: Annotated[Scope, Allowed("organization.update")]) -> Response:
    """Show what can be changed about the organization."""
    return _show_settings(request, scope)


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
        return see(request, "organizations.settings", slug=scope.organization.slug)
    return _show_settings(request, scope, form=form)


async def update_defaults(
    request: Request,
    scope: Annotated[Scope, Allowed("organization.update")],
    db: Db,
    form: Submitted[DefaultsForm],
) -> Response:
    """Change the language and the time zone of members who have chosen none."""
    if not form.is_valid:
        return _show_settings(request, scope, defaults=form)
    await actions.change_defaults(db, scope, facts=RequestFacts.of(request), **form.data.model_dump())
    flash(request, _("Language and time zone are saved."))
    return see(request, "organizations.settings", slug=scope.organization.slug)


async def move(
    request: Request,
    scope: Annotated[Scope, Allowed("organization.update")],
    db: Db,
    form: Submitted[SlugForm],
) -> Response:
    """Give the organization another address."""
    if form.is_valid:
        try:
            await actions.change_slug(db, scope, slug=form.data.slug, facts=RequestFacts.of(request))
        except actions.SlugTaken as refusal:
            form.add_error("slug", _(refusal.message))
        else:
            flash(request, _("The organization is at /o/%(slug)s now.") % {"slug": form.data.slug})
            return see(request, "organizations.settings", slug=form.data.slug)
    return render(request, "organizations/move.html", form=form)


async def become_team(request: Request, scope: Annotated[Scope, Allowed("organization.update")], db: Db) -> Response:
    """Make a personal organization a team's."""
    await actions.become_team(db, scope, facts=RequestFacts.of(request))
    flash(request, _("This is a team's organization now."))
    return see(request, "organizations.settings", slug=scope.organization.slug)


async def ask_move(request: Request, scope: Annotated[Scope, Allowed("organization.update")]) -> Response:
    """Ask for another address, and say what becomes of the present one."""
    return render(request, "organizations/move.html", form=Submitted.blank(SlugForm, slug=scope.organization.slug))


def _show_settings(
    request: Request,
    scope: Scope,
    *,
    form: Submitted[OrganizationForm] | None = None,
    defaults: Submitted[DefaultsForm] | None = None,
) -> Response:
    """The page, with the form that has to be mended, if one of them has."""
    present = scope.organization
    return render(
        request,
        "organizations/settings.html",
        form=form or Submitted.blank(OrganizationForm, name=present.name),
        defaults=defaults or Submitted.blank(DefaultsForm, locale=present.locale, time_zone=present.time_zone),
        status_code=422 if form or defaults else 200,
        kind=present.kind,
        is_own=present.is_personal_of(scope.user),
        languages=language_options(),
        zones=time_zones(),
    )


async def _recent_events(db: Db, scope: Scope) -> list[AuditEvent] | None:
    """The last events, or None for members who may not see them."""
    if not scope.allows("audit.view"):
        return None
    return list(await list_events(db, organization_id=scope.organization.id, limit=RECENT_EVENTS))
