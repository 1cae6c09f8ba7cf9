"""What changes an organization for good: handing it over and deleting it. It asks for a recent proof of who asks."""

from typing import Annotated

from app import features
from app.accounts.dependencies import ConfirmedSession
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.errors import Refusal
from app.language import gettext as _
from app.organizations import deletion, ownership
from app.organizations.dependencies import Allowed, MemberScope
from app.organizations.forms import ClosingForm, OfferForm
from app.organizations.member_queries import count_members, find_member, find_offer, list_receivers
from app.organizations.models import Scope
from app.pages import see
from app.templates import flash, render
from core.exceptions import HTTPException
from core.params import Submitted
from core.requests import Request
from core.responses import Response

TransferScope = Annotated[Scope, Allowed("organization.transfer")]
DeletingScope = Annotated[Scope, Allowed("organization.delete")]


async def danger(request: Request, scope: DeletingScope, _session: ConfirmedSession, db: Db) -> Response:
    """Show what cannot simply be undone."""
    return await _show(request, scope, db)


async def offer(
    request: Request,
    scope: TransferScope,
    _session: ConfirmedSession,
    db: Db,
    settings: CurrentSettings,
    form: Submitted[OfferForm],
) -> Response:
    """Offer the organization to a member."""
    member = await find_member(db, scope, form.data.user_id) if form.is_valid else None
    if member is None:
        flash(request, _(ownership.CannotOwn().message), "danger")
        return see(request, "organizations.danger", slug=scope.organization.slug)
    try:
        await ownership.offer_ownership(db, settings, scope, member, facts=RequestFacts.of(request))
    except Refusal as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        flash(request, _("We wrote to %(name)s. The offer is good for seven days.") % {"name": member.user.name})
    return see(request, "organizations.danger", slug=scope.organization.slug)


async def withdraw(request: Request, scope: TransferScope, db: Db, settings: CurrentSettings) -> Response:
    """Take the offer back."""
    await ownership.withdraw_offer(db, settings, scope, facts=RequestFacts.of(request))
    flash(request, _("The offer is withdrawn."))
    return see(request, "organizations.danger", slug=scope.organization.slug)


async def show_offer(request: Request, scope: MemberScope, db: Db) -> Response:
    """Show a member that the organization is offered to them."""
    offered = await find_offer(db, scope)
    if offered is None or offered.to_user_id != scope.user.id:
        raise HTTPException(404)
    return render(request, "organizations/ownership.html", offer=offered)


async def accept(request: Request, scope: MemberScope, db: Db, settings: CurrentSettings) -> Response:
    """Become the organization's owner."""
    await ownership.accept_offer(db, settings, scope, facts=RequestFacts.of(request))
    flash(request, _("%(name)s is yours now.") % {"name": scope.organization.name})
    return see(request, "organizations.dashboard", slug=scope.organization.slug)


async def decline(request: Request, scope: MemberScope, db: Db, settings: CurrentSettings) -> Response:
    """Say no."""
    await ownership.decline_offer(db, settings, scope, facts=RequestFacts.of(request))
    flash(request, _("You declined. Everything stays as it is."))
    return see(request, "organizations.dashboard", slug=scope.organization.slug)


async def close(
    request: Request,
    scope: DeletingScope,
    _session: ConfirmedSession,
    db: Db,
    settings: CurrentSettings,
    form: Submitted[ClosingForm],
) -> Response:
    """Close the organization, and have it deleted after two weeks."""
    typed = form.data.name if form.is_valid else ""
    try:
        await deletion.close_organization(db, settings, scope, typed=typed, facts=RequestFacts.of(request))
    except Refusal as refusal:
        form.errors.clear()
        form.add_error("name", _(refusal.message))
        return await _show(request, scope, db, form)
    flash(request, _("%(name)s is closed and will be deleted in 14 days.") % {"name": scope.organization.name}, "info")
    return see(request, "organizations.ask_to_keep", organization_id=scope.organization.id)


async def _show(request: Request, scope: Scope, db: Db, form: Submitted[ClosingForm] | None = None) -> Response:
    return render(
        request,
        "organizations/danger.html",
        form=form or Submitted.blank(ClosingForm),
        offer=await find_offer(db, scope),
        receivers=await list_receivers(db, scope),
        member_count=await count_members(db, scope),
        contents=[each for count in features.content_counts() for each in await count(db, scope)],
        days=deletion.GRACE.days,
    )
