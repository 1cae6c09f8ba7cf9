"""Join links, and joining by domain: what an organization offers, and how people use it."""

from typing import Annotated
from uuid import UUID

from app.accounts import limits
from app.accounts.dependencies import CurrentUser, OptionalUser
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.email.links import absolute
from app.errors import Refusal
from app.invitations import domains, door_queries, links, queries
from app.invitations.forms import DomainForm, JoinDomainForm, JoinLinkForm
from app.invitations.handlers import chosen_role
from app.invitations.models import JoinLink, JoinRequest
from app.language import gettext as _
from app.organizations.custom_roles import list_grantable
from app.organizations.dependencies import Allowed
from app.organizations.granting import AboveYourOwnRole
from app.organizations.models import Scope
from app.organizations.queries import find_slug_of
from app.organizations.role_names import role_options
from app.pages import UNTRACED, see
from app.policy import Role
from app.templates import flash, render
from core.exceptions import HTTPException
from core.params import Submitted
from core.requests import Request
from core.responses import Response

InvitingScope = Annotated[Scope, Allowed("invitations.create")]


async def new_link(request: Request, scope: InvitingScope, db: Db) -> Response:
    """Ask for whom a link is good."""
    return await _show_link(request, scope, db, Submitted.blank(JoinLinkForm, role=Role.MEMBER.value, days=7))


async def create_link(
    request: Request, scope: InvitingScope, db: Db, settings: CurrentSettings, form: Submitted[JoinLinkForm]
) -> Response:
    """Make a link, and show it this once."""
    role = await chosen_role(db, scope, form)
    if role is None:
        return await _show_link(request, scope, db, form)
    values = form.data.model_dump(exclude={"role"})
    try:
        link, code = await links.create_link(db, scope, role=role, **values, facts=RequestFacts.of(request))
    except (links.TooManyLinks, AboveYourOwnRole) as refusal:
        form.add_error("role" if isinstance(refusal, AboveYourOwnRole) else "", _(refusal.message))
        return await _show_link(request, scope, db, form)
    return render(request, "invitations/link.html", link=link, address=absolute(settings, f"/join/{code}"))


async def revoke_link(request: Request, scope: InvitingScope, db: Db, link_id: UUID) -> Response:
    """Take a link back."""
    link = await door_queries.find_own_link(db, scope, link_id)
    if link is None:
        raise HTTPException(404)
    await links.revoke_link(db, scope, link, facts=RequestFacts.of(request))
    flash(request, _("The link is revoked. Those who came by it stay."))
    return _back(request, scope)


async def show_link(request: Request, user: OptionalUser, db: Db, code: str) -> Response:
    """Show where a link leads. Only the button joins."""
    await limits.limit(request, limits.LINK)
    link = await door_queries.find_link(db, code)
    path = str(request.app.url_path_for("invitations.show_link", code=code))
    if user is None:
        return render(request, "invitations/link_signed_out.html", headers=UNTRACED, path=path)
    if link is None:
        return _does_not_work(request)
    if await queries.is_member(db, link.organization_id, user):
        return await _already(request, db, user, link)
    try:
        await links.require_usable(db, user, link)
    except Refusal as refusal:
        return _does_not_work(request, refusal)
    return render(request, "invitations/join.html", headers=UNTRACED, link=link, path=path)


async def join(request: Request, user: CurrentUser, db: Db, code: str) -> Response:
    """Become a member by a link."""
    link = await door_queries.find_link(db, code)
    if link is None:
        raise links.JoinLinkGone
    if await queries.is_member(db, link.organization_id, user):
        return await _already(request, db, user, link)
    joined = await links.join_by_link(db, user, link, facts=RequestFacts.of(request))
    flash(request, _("Welcome to %(name)s.") % {"name": joined.name})
    return see(request, "organizations.dashboard", slug=joined.slug)


async def new_domain(request: Request, scope: InvitingScope, db: Db) -> Response:
    """Ask which domain's people may come."""
    return await _show_domains(request, scope, db, Submitted.blank(JoinDomainForm, role=Role.MEMBER.value, asks="true"))


async def add_domain(request: Request, scope: InvitingScope, db: Db, form: Submitted[JoinDomainForm]) -> Response:
    """Let people of a domain find the organization."""
    role = await chosen_role(db, scope, form)
    if role is not None:
        facts = RequestFacts.of(request)
        try:
            await domains.add_domain(db, scope, domain=form.data.domain, role=role, asks=form.data.asks, facts=facts)
        except (domains.DomainNotYours, AboveYourOwnRole) as refusal:
            form.add_error("role" if isinstance(refusal, AboveYourOwnRole) else "domain", _(refusal.message))
        else:
            flash(request, _("People with an address at %(domain)s find you now.") % {"domain": form.data.domain})
            return _back(request, scope)
    return await _show_domains(request, scope, db, form)


async def remove_domain(request: Request, scope: InvitingScope, db: Db, form: Submitted[DomainForm]) -> Response:
    """Hide the organization from a domain's people."""
    if form.is_valid:
        await domains.remove_domain(db, scope, domain=form.data.domain, facts=RequestFacts.of(request))
        flash(request, _("People with an address at %(domain)s no longer find you.") % {"domain": form.data.domain})
    return _back(request, scope)


async def grant_request(
    request: Request, scope: InvitingScope, db: Db, settings: CurrentSettings, user_id: UUID
) -> Response:
    """Let somebody in who asked to."""
    asked = await _get_request(db, scope, user_id)
    try:
        await domains.grant(db, settings, scope, asked, facts=RequestFacts.of(request))
    except Refusal as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        flash(request, _("%(name)s is a member now.") % {"name": asked.user.name})
    return _back(request, scope)


async def refuse_request(request: Request, scope: InvitingScope, db: Db, user_id: UUID) -> Response:
    """Do not let somebody in."""
    asked = await _get_request(db, scope, user_id)
    await domains.refuse(db, scope, asked, facts=RequestFacts.of(request))
    flash(request, _("The request of %(name)s is refused.") % {"name": asked.user.name})
    return _back(request, scope)


async def _already(request: Request, db: Db, user: CurrentUser, link: JoinLink) -> Response:
    slug = await find_slug_of(db, user, link.organization_id)
    if slug is None:
        raise HTTPException(404)
    flash(request, _("You are a member already."), "info")
    return see(request, "organizations.dashboard", slug=slug)


async def _get_request(db: Db, scope: Scope, user_id: UUID) -> JoinRequest:
    asked = await door_queries.find_request(db, scope, user_id)
    if asked is None:
        raise HTTPException(404)
    return asked


async def _show_link(request: Request, scope: Scope, db: Db, form: Submitted[JoinLinkForm]) -> Response:
    return render(request, "invitations/new_link.html", form=form, roles=role_options(await list_grantable(db, scope)))


async def _show_domains(request: Request, scope: Scope, db: Db, form: Submitted[JoinDomainForm]) -> Response:
    found = [each for each in await door_queries.list_member_domains(db, scope) if each not in domains.PUBLIC_DOMAINS]
    roles = role_options(await list_grantable(db, scope))
    return render(request, "invitations/new_domain.html", form=form, candidates=found, roles=roles)


def _does_not_work(request: Request, refusal: Refusal | None = None) -> Response:
    detail = _((refusal or links.JoinLinkGone()).message)
    status = refusal.status_code if refusal else 410
    return render(request, "invitations/link_does_not_work.html", status_code=status, headers=UNTRACED, detail=detail)


def _back(request: Request, scope: Scope) -> Response:
    return see(request, "invitations.list_invitations", slug=scope.organization.slug)
