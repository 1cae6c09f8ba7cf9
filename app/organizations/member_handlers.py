"""The pages of an organization's members: who they are, what they may do, and their way out."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from app import features
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.errors import Refusal
from app.language import gettext as _
from app.organizations import members as actions
from app.organizations.custom_roles import find_role, list_roles
from app.organizations.dependencies import Allowed, MemberScope
from app.organizations.forms import MemberQuery, RemovalForm, RoleForm
from app.organizations.granting import may_grant
from app.organizations.member_queries import (
    MOST_COUNTED,
    ListedMember,
    count_members,
    find_member,
    list_members,
    list_successors,
)
from app.organizations.models import Membership, Scope
from app.organizations.role_names import role_name, role_options
from app.pages import path_of, see
from app.pagination import Pager, Position
from app.templates import flash, render
from core.exceptions import HTTPException
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response

ChangingScope = Annotated[Scope, Allowed("members.change")]


async def members(
    request: Request, scope: Annotated[Scope, Allowed("members.view")], db: Db, query: Annotated[MemberQuery, Query()]
) -> Response:
    """List the organization's members, in pages."""
    pager = Pager(request, query, f"members:{scope.organization.id}:{query.list_name}")
    listed = await list_members(db, scope, query.filter, after=pager.after, limit=pager.limit)
    page = pager.page(listed, position)
    roles = await list_roles(db, scope)
    return render(
        request,
        "organizations/members.html",
        members=page.rows,
        total=await count_members(db, scope),
        most_counted=MOST_COUNTED,
        query=query,
        next_path=_next_path(request, scope, query, page.next_cursor),
        all_roles=role_options(roles),
        roles=role_options(role for role in roles if may_grant(scope.membership, role)),
    )


def position(listed: ListedMember) -> Position:
    """Where a member stands in the list."""
    return Position(listed.joined_at, UUID(listed.user_id))


async def change_role(
    request: Request, scope: ChangingScope, db: Db, settings: CurrentSettings, user_id: UUID, form: Submitted[RoleForm]
) -> Response:
    """Give a member another role."""
    member = await _member(db, scope, user_id)
    role = await find_role(db, scope, form.data.role) if form.is_valid else None
    if role is not None:
        try:
            await actions.change_role(db, settings, scope, member, role=role, facts=RequestFacts.of(request))
        except Refusal as refusal:
            return _refused(request, scope, refusal)
        names = {"name": member.user.name, "role": role_name(role)}
        flash(request, _("%(name)s has another role now: %(role)s.") % names)
    return see(request, "organizations.members", slug=scope.organization.slug)


async def suspend(request: Request, scope: ChangingScope, db: Db, user_id: UUID) -> Response:
    """Shut a member out for the time being."""
    member = await _member(db, scope, user_id)
    try:
        await actions.suspend(db, scope, member, facts=RequestFacts.of(request))
    except Refusal as refusal:
        return _refused(request, scope, refusal)
    flash(request, _("%(name)s is suspended and can do nothing here.") % {"name": member.user.name})
    return see(request, "organizations.members", slug=scope.organization.slug)


async def reactivate(request: Request, scope: ChangingScope, db: Db, user_id: UUID) -> Response:
    """Let a suspended member back in."""
    member = await _member(db, scope, user_id)
    try:
        await actions.reactivate(db, scope, member, facts=RequestFacts.of(request))
    except Refusal as refusal:
        return _refused(request, scope, refusal)
    flash(request, _("%(name)s is back.") % {"name": member.user.name})
    return see(request, "organizations.members", slug=scope.organization.slug)


async def ask_removal(request: Request, scope: ChangingScope, db: Db, user_id: UUID) -> Response:
    """Say what removing a member means, and ask who takes over what they answer for."""
    member = await _member(db, scope, user_id, is_locked=False)
    found = [await each.describe(db, scope, user_id) for each in features.duties()]
    duties = [sentence for sentence in found if sentence]
    successors = await list_successors(db, scope, user_id) if duties else []
    options = [(person.id, f"{person.name} ({person.email})") for person in successors]
    return render(request, "organizations/remove_member.html", member=member, duties=duties, successors=options)


async def remove(
    request: Request,
    scope: ChangingScope,
    db: Db,
    settings: CurrentSettings,
    user_id: UUID,
    form: Submitted[RemovalForm],
) -> Response:
    """Take a member out of the organization."""
    member, successor = await _member(db, scope, user_id), None
    if chosen := form.data.successor_id if form.is_valid else None:
        successor = await _member(db, scope, chosen)
    try:
        await actions.remove(db, settings, scope, member, facts=RequestFacts.of(request), successor=successor)
    except Refusal as refusal:
        return _refused(request, scope, refusal)
    flash(request, _("%(name)s is no longer a member.") % {"name": member.user.name})
    return see(request, "organizations.members", slug=scope.organization.slug)


async def ask_to_leave(request: Request, scope: MemberScope) -> Response:
    """Say what leaving means."""
    return render(request, "organizations/leave.html")


async def leave(request: Request, scope: MemberScope, db: Db) -> Response:
    """Leave the organization."""
    try:
        await actions.leave(db, scope, facts=RequestFacts.of(request))
    except Refusal as refusal:
        return _refused(request, scope, refusal)
    flash(request, _("You left %(name)s.") % {"name": scope.organization.name})
    return see(request, "organizations.home")


async def _member(db: Db, scope: Scope, user_id: UUID, *, is_locked: bool = True) -> Membership:
    member = await find_member(db, scope, user_id, is_locked=is_locked)
    if member is None:
        raise HTTPException(404)
    return member


def _refused(request: Request, scope: Scope, refusal: Refusal) -> Response:
    flash(request, _(refusal.message), "danger")
    return see(request, "organizations.members", slug=scope.organization.slug)


def _next_path(request: Request, scope: Scope, query: MemberQuery, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    asked = {"role": query.role, "status": query.status, "search": query.search, "cursor": cursor}
    parameters = urlencode({name: value for name, value in asked.items() if value})
    return f"{path_of(request, 'organizations.members', slug=scope.organization.slug)}?{parameters}"
