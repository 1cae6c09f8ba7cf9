"""Founding a team, and keeping one that was closed."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from app.accounts.dependencies import CurrentSession, CurrentUser
from app.accounts.limits import LINK, per_session
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.language import gettext as _
from app.organizations import actions, deletion, queries
from app.organizations.forms import SlugForm, TeamForm
from app.organizations.models import Organization
from app.organizations.slugs import slug_problem
from app.pages import see
from app.templates import flash, render
from core.exceptions import HTTPException
from core.params import Submitted
from core.requests import Request
from core.responses import Response


class SlugAnswer(BaseModel):
    """Whether an address may be had, and what to say of it."""

    is_free: bool
    text: str


async def new(request: Request, _user: CurrentUser) -> Response:
    """Ask what the team is called."""
    return render(request, "organizations/new.html", form=Submitted.blank(TeamForm), answer=None)


async def create(request: Request, user: CurrentUser, db: Db, form: Submitted[TeamForm]) -> Response:
    """Found a team."""
    if form.is_valid:
        values = {"name": form.data.name, "slug": form.data.slug}
        try:
            organization = await actions.create_team(db, user, **values, facts=RequestFacts.of(request))
        except actions.SlugTaken as refusal:
            form.add_error("slug", _(refusal.message))
        else:
            flash(request, _("%(name)s is yours. Invite the others now.") % {"name": organization.name})
            return see(request, "organizations.members", slug=organization.slug)
    return render(request, "organizations/new.html", form=form, answer=None)


async def check_new(
    request: Request,
    _count: Annotated[None, per_session(LINK)],
    _session: CurrentSession,
    db: Db,
    form: Submitted[TeamForm],
) -> Response:
    """Say whether the address is free, without founding anything: what the button beside it asks where no script runs."""
    answer = await _answer(db, str(form.values.get("slug", "")))
    form.errors.clear()
    return render(request, "organizations/new.html", form=form, answer=answer)


async def check_slug(
    _count: Annotated[None, per_session(LINK)], _session: CurrentSession, db: Db, form: Submitted[SlugForm]
) -> SlugAnswer:
    """Say whether an address is free (static/js/slug.js asks while somebody types)."""
    return await _answer(db, str(form.values.get("slug", "")))


async def ask_to_keep(request: Request, user: CurrentUser, db: Db, organization_id: UUID) -> Response:
    """Show an organization that waits to be deleted to one of its owners."""
    organization = await _closed(db, user, organization_id)
    return render(request, "organizations/keep.html", organization=organization)


async def keep(
    request: Request, user: CurrentUser, db: Db, settings: CurrentSettings, organization_id: UUID
) -> Response:
    """Take a deletion back."""
    organization = await _closed(db, user, organization_id)
    await deletion.keep_organization(db, settings, user, organization, facts=RequestFacts.of(request))
    flash(request, _("%(name)s stays.") % {"name": organization.name})
    return see(request, "organizations.dashboard", slug=organization.slug)


async def _answer(db: Db, typed: str) -> SlugAnswer:
    slug = typed.strip().lower()
    if problem := slug_problem(slug):
        return SlugAnswer(is_free=False, text=_(problem))
    if await queries.is_slug_free(db, slug):
        return SlugAnswer(is_free=True, text=_("This address is free."))
    return SlugAnswer(is_free=False, text=_("This address is taken. Choose another one."))


async def _closed(db: Db, user: CurrentUser, organization_id: UUID) -> Organization:
    organization = await deletion.find_closed(db, user, organization_id)
    if organization is None:
        raise HTTPException(404)
    return organization
