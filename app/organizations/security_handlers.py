"""The page of the security policy, and the one that leads members to what it demands."""

from datetime import UTC, datetime, time
from typing import Annotated

from app import clock
from app.audit.models import RequestFacts
from app.database import Db
from app.errors import Refusal
from app.language import gettext as _
from app.organizations import security
from app.organizations.dependencies import Allowed, VisitingScope
from app.organizations.forms import SecurityForm
from app.organizations.models import Organization, Scope
from app.pages import path_of, see
from app.templates import flash, render
from app.time_zones import zone
from core.params import Submitted
from core.requests import Request
from core.responses import Response


async def show(request: Request, scope: Annotated[Scope, Allowed("security.view")], db: Db) -> Response:
    """Show what the organization demands of its members, and whom that concerns."""
    return await _show(request, scope, db, _filled(scope.organization))


async def update(
    request: Request, scope: Annotated[Scope, Allowed("security.update")], db: Db, form: Submitted[SecurityForm]
) -> Response:
    """Demand something else from now on."""
    if form.is_valid:
        try:
            await security.change_policy(
                db,
                scope,
                second_factor_from=_deadline(form.data, scope.organization),
                allowed_domains=form.data.allowed_domains.split(),
                session_hours=form.data.session_hours,
                facts=RequestFacts.of(request),
            )
        except security.FirstYourself as refusal:
            form.add_error("second_factor_from", _(refusal.message))
        except Refusal as refusal:
            form.add_error("allowed_domains", _(refusal.message))
        else:
            flash(request, _("The security policy is changed."))
            return see(request, "organizations.security", slug=scope.organization.slug)
    return await _show(request, scope, db, form)


async def second_factor(request: Request, scope: VisitingScope) -> Response:
    """Lead somebody without a second factor to where they set one up; and one who has it to where they show it."""
    home = path_of(request, "organizations.dashboard", slug=scope.organization.slug)
    has_shown, deadline = security.has_shown_factor(scope), scope.organization.second_factor_from
    if deadline is None or has_shown:
        return see(request, "organizations.dashboard", slug=scope.organization.slug)
    return render(request, "organizations/second_factor.html", home=home, deadline=deadline, navigation=[])


async def _show(request: Request, scope: Scope, db: Db, form: Submitted[SecurityForm]) -> Response:
    without_factor, outside = await security.count_affected(db, scope)
    return render(request, "organizations/security.html", form=form, without_factor=without_factor, outside=outside)


def _filled(organization: Organization) -> Submitted[SecurityForm]:
    deadline = organization.second_factor_from
    return Submitted.blank(
        SecurityForm,
        second_factor_from=deadline.astimezone(zone()).date().isoformat() if deadline else None,
        allowed_domains=" ".join(organization.allowed_domains),
        session_hours=organization.session_hours,
    )


def _deadline(data: SecurityForm, organization: Organization) -> datetime | None:
    """The beginning of the day that was chosen, in the reader's zone; a day that is over or has begun means now."""
    if data.second_factor_from is None:
        return None
    before = organization.second_factor_from
    chosen = datetime.combine(data.second_factor_from, time.min, tzinfo=zone()).astimezone(UTC)
    if before is not None and before.astimezone(zone()).date() == data.second_factor_from:
        return before
    return max(chosen, clock.now())
