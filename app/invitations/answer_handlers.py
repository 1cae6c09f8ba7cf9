"""The other side of invitations: what somebody sees who was sent one, and how they answer."""

from typing import Annotated
from uuid import UUID

from app.accounts import limits, pending
from app.accounts.dependencies import CurrentUser, OptionalUser
from app.audit.models import RequestFacts
from app.config import CurrentSettings, Settings
from app.database import Db
from app.invitations import accepting, domains, door_queries, queries
from app.invitations.forms import SearchForm
from app.invitations.models import Invitation, InvitationState
from app.language import gettext as _
from app.organizations.queries import find_slug_of, list_closed
from app.pages import UNTRACED, see
from app.templates import flash, render
from core.exceptions import HTTPException
from core.params import Query
from core.requests import Request
from core.responses import Response

# The address of the page is the invitation's token: no other site may learn it, and no cache keep it.


async def show(request: Request, user: OptionalUser, db: Db, token: str) -> Response:
    """Show an invitation to whoever has its link. Looking changes nothing; only the buttons answer."""
    await limits.limit(request, limits.LINK)
    invitation = await queries.find_by_token(db, token)
    if user is not None and invitation is not None and await _is_settled(db, user, invitation):
        return _already(request, await find_slug_of(db, user, invitation.organization_id))
    if invitation is None or not await _is_good(db, invitation):
        return _gone(request, invitation)
    if user is None:
        pending.remember_invitation(request, invitation.address)
        return _show(request, "invitations/signed_out.html", invitation, token)
    if not await queries.has_verified(db, user, invitation.address):
        masked = pending.masked(invitation.address)
        return render(request, "invitations/wrong_account.html", status_code=403, headers=UNTRACED, address=masked)
    return _show(request, "invitations/answer.html", invitation, token)


async def accept(request: Request, user: CurrentUser, db: Db, settings: CurrentSettings, token: str) -> Response:
    """Become a member by the link of an invitation."""
    return await _accept(request, user, db, settings, await _get(db, token))


async def decline(request: Request, user: CurrentUser, db: Db, settings: CurrentSettings, token: str) -> Response:
    """Say no to the invitation of a link."""
    return await _decline(request, user, db, settings, await _get(db, token))


async def accept_own(
    request: Request, user: CurrentUser, db: Db, settings: CurrentSettings, invitation_id: UUID
) -> Response:
    """Become a member by an invitation that waits for an address of one's own."""
    return await _accept(request, user, db, settings, await _get_own(db, user, invitation_id))


async def decline_own(
    request: Request, user: CurrentUser, db: Db, settings: CurrentSettings, invitation_id: UUID
) -> Response:
    """Say no to an invitation that waits for an address of one's own."""
    return await _decline(request, user, db, settings, await _get_own(db, user, invitation_id))


async def organizations(request: Request, user: CurrentUser, db: Db, query: Annotated[SearchForm, Query()]) -> Response:
    """List the organizations of the person, what waits for their answer, and where they could join."""
    return render(
        request,
        "invitations/organizations.html",
        found=await queries.list_entries(db, user, query.search),
        search=query.search,
        invitations=await queries.list_for_person(db, user),
        joinable=await door_queries.list_joinable(db, user),
        closed=await list_closed(db, user),
    )


async def join_by_domain(
    request: Request, user: CurrentUser, db: Db, settings: CurrentSettings, organization_id: UUID
) -> Response:
    """Join an organization of one's own domain, or ask to."""
    joined = await domains.join_by_domain(db, settings, user, organization_id, facts=RequestFacts.of(request))
    if joined is None:
        flash(request, _("You asked to join. We write to you when somebody lets you in."))
        return see(request, "invitations.organizations")
    flash(request, _("Welcome to %(name)s.") % {"name": joined.name})
    return see(request, "organizations.dashboard", slug=joined.slug)


async def _accept(request: Request, user: CurrentUser, db: Db, settings: Settings, invitation: Invitation) -> Response:
    if await _is_settled(db, user, invitation):
        return _already(request, await find_slug_of(db, user, invitation.organization_id))
    joined = await accepting.accept(db, settings, user, invitation, facts=RequestFacts.of(request))
    flash(request, _("Welcome to %(name)s.") % {"name": joined.name})
    return see(request, "organizations.dashboard", slug=joined.slug)


async def _decline(request: Request, user: CurrentUser, db: Db, settings: Settings, invitation: Invitation) -> Response:
    await accepting.decline(db, settings, user, invitation, facts=RequestFacts.of(request))
    flash(request, _("You declined the invitation."))
    return see(request, "invitations.organizations")


async def _is_settled(db: Db, user: CurrentUser, invitation: Invitation) -> bool:
    """Whether this person is in already, perhaps by this very invitation."""
    return await queries.is_member(db, invitation.organization_id, user)


async def _is_good(db: Db, invitation: Invitation) -> bool:
    if invitation.state != InvitationState.OPEN or invitation.organization.status != "active":
        return False
    return await accepting.could_be_backed(db, invitation)


def _already(request: Request, slug: str | None) -> Response:
    if slug is None:
        raise HTTPException(404)
    flash(request, _("You are a member already."), "info")
    return see(request, "organizations.dashboard", slug=slug)


def _gone(request: Request, invitation: Invitation | None) -> Response:
    state = invitation.state if invitation else None
    return render(request, "invitations/gone.html", status_code=410, headers=UNTRACED, state=state)


def _show(request: Request, template: str, invitation: Invitation, token: str) -> Response:
    path = str(request.app.url_path_for("invitations.show", token=token))
    return render(request, template, headers=UNTRACED, invitation=invitation, token=token, path=path)


async def _get(db: Db, token: str) -> Invitation:
    invitation = await queries.find_by_token(db, token)
    if invitation is None:
        raise accepting.InvitationGone
    return invitation


async def _get_own(db: Db, user: CurrentUser, invitation_id: UUID) -> Invitation:
    invitation = await queries.find_for_person(db, user, invitation_id)
    if invitation is None:
        raise HTTPException(404)
    return invitation
