"""An organization's side of invitations: sending them, and taking them back."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from app.accounts.limits import HOUR
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.errors import Refusal
from app.invitations import actions, door_queries, queries
from app.invitations.forms import InvitationForm, JoinDomainForm, JoinLinkForm, read_lines
from app.invitations.models import Invitation, JoinDomain, JoinRequest
from app.language import gettext as _
from app.organizations.custom_roles import AnyRole, find_role, list_grantable, role_of
from app.organizations.dependencies import Allowed
from app.organizations.granting import AboveYourOwnRole
from app.organizations.models import Scope
from app.organizations.role_names import role_name, role_options
from app.pages import see
from app.pagination import PageQuery, Pager, Position
from app.policy import Role
from app.templates import flash, render
from app.throttle import Limit, hit_by
from core.exceptions import HTTPException
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response

InvitingScope = Annotated[Scope, Allowed("invitations.create")]
ViewingScope = Annotated[Scope, Allowed("invitations.view")]
LISTS_AN_HOUR = 60


async def list_invitations(
    request: Request, scope: ViewingScope, db: Db, query: Annotated[PageQuery, Query()]
) -> Response:
    """List what was sent and not answered, and the other ways in."""
    pager = Pager(request, query, f"invitations:{scope.organization.id}")
    found = await queries.list_invitations(db, scope, after=pager.after, limit=pager.limit)
    page = pager.page(found, position)
    domains = await door_queries.list_domains(db, scope)
    requests = await door_queries.list_requests(db, scope)
    return render(
        request,
        "invitations/list_invitations.html",
        invitations=page.rows,
        next_cursor=page.next_cursor,
        cursor=query.cursor,
        links=await door_queries.list_links(db, scope),
        domains=domains,
        requests=requests,
        role_names=_roles_of(requests, domains),
        most_sent=actions.MOST_SENT,
    )


def position(invitation: Invitation) -> Position:
    """Where an invitation stands in the list."""
    return Position(invitation.created_at, invitation.id)


async def new(request: Request, scope: InvitingScope, db: Db) -> Response:
    """Ask whom to invite."""
    return await _show(request, scope, db, Submitted.blank(InvitationForm, role=Role.MEMBER.value))


async def invite(
    request: Request, scope: InvitingScope, db: Db, settings: CurrentSettings, form: Submitted[InvitationForm]
) -> Response:
    """Invite people, and say of each line what became of it."""
    role = await chosen_role(db, scope, form)
    if role is None:
        return await _show(request, scope, db, form)
    await count_list(request, scope)
    try:
        answers = await actions.invite_people(
            db,
            settings,
            scope,
            read_lines(form.data.emails),
            role=role,
            message=form.data.message,
            facts=RequestFacts.of(request),
        )
    except AboveYourOwnRole as refusal:
        form.add_error("role", _(refusal.message))
        return await _show(request, scope, db, form)
    return render(request, "invitations/answers.html", answers=answers)


async def resend(
    request: Request, scope: InvitingScope, db: Db, settings: CurrentSettings, invitation_id: UUID
) -> Response:
    """Mail an invitation again."""
    invitation = await _get(db, scope, invitation_id)
    await count_list(request, scope)
    try:
        await actions.resend(db, settings, scope, invitation, facts=RequestFacts.of(request))
    except Refusal as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        flash(request, _("We sent the invitation to %(address)s again.") % {"address": invitation.address})
    return see(request, "invitations.list_invitations", slug=scope.organization.slug)


async def revoke(request: Request, scope: InvitingScope, db: Db, invitation_id: UUID) -> Response:
    """Take an invitation back."""
    invitation = await _get(db, scope, invitation_id)
    await actions.revoke(db, scope, invitation, facts=RequestFacts.of(request))
    flash(request, _("The invitation of %(address)s is revoked.") % {"address": invitation.address})
    return see(request, "invitations.list_invitations", slug=scope.organization.slug)


async def chosen_role(
    db: Db, scope: Scope, form: Submitted[InvitationForm] | Submitted[JoinLinkForm] | Submitted[JoinDomainForm]
) -> AnyRole | None:
    """The role that a form names; None, with what is wrong said beside the field, if anything in it is."""
    role = await find_role(db, scope, form.data.role) if form.is_valid else None
    if form.is_valid and role is None:
        form.add_error("role", _("Choose one of the options."))
    return role


async def count_list(request: Request, scope: Scope) -> None:
    """Count a request that sends mail to people who may not know us. Raises TooManyRequests."""
    await hit_by(request, Limit("invitations", str(scope.organization.id), LISTS_AN_HOUR, HOUR))


def _roles_of(requests: Sequence[JoinRequest], domains: Sequence[JoinDomain]) -> dict[UUID, str]:
    """What those who ask to join would be: what their domain gives, or ordinary members if it is gone."""
    given = {each.domain: role_of(each) for each in domains}
    return {
        asked.user_id: role_name(given.get(door_queries.domain_of(asked.address), Role.MEMBER)) for asked in requests
    }


async def _get(db: Db, scope: Scope, invitation_id: UUID) -> Invitation:
    invitation = await queries.find_invitation(db, scope, invitation_id)
    if invitation is None:
        raise HTTPException(404)
    return invitation


async def _show(request: Request, scope: Scope, db: Db, form: Submitted[InvitationForm]) -> Response:
    return render(request, "invitations/new.html", form=form, roles=role_options(await list_grantable(db, scope)))
