"""The page that says who may do what, and those on which an organization makes roles of its own."""

from typing import Annotated

from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.errors import Refusal
from app.invitations.door_queries import count_promises
from app.language import gettext as _
from app.organizations.custom_roles import find_custom_role, find_role, list_custom_roles, list_grantable
from app.organizations.dependencies import Allowed
from app.organizations.granting import may_grant
from app.organizations.models import CustomRole, Scope
from app.organizations.role_names import role_name, role_options
from app.pages import see
from app.policy import BUILT_IN_ONLY, ENTRY, area_name, by_area, known, permissions_of
from app.policy import Role as BuiltIn
from app.roles import actions, queries
from app.roles.forms import CustomRoleForm, DeletionForm
from app.templates import flash, render
from core.exceptions import HTTPException
from core.params import Depends, Submitted
from core.requests import Request
from core.responses import Response

ChangingScope = Annotated[Scope, Allowed("roles.change")]


async def custom_role(scope: ChangingScope, db: Db, key: str) -> CustomRole:
    """The organization's own role that the path names."""
    return _existing(await find_custom_role(db, scope, key))


async def changed_role(scope: ChangingScope, db: Db, key: str) -> CustomRole:
    """The same, which nobody else changes or deletes meanwhile."""
    return _existing(await find_custom_role(db, scope, key, is_changed=True))


def _existing(role: CustomRole | None) -> CustomRole:
    if role is None:
        raise HTTPException(404)
    return role


NamedRole = Annotated[CustomRole, Depends(custom_role)]
ChangedRole = Annotated[CustomRole, Depends(changed_role)]


async def roles(request: Request, scope: Annotated[Scope, Allowed("roles.view")], db: Db) -> Response:
    """Show what each role allows."""
    own = await list_custom_roles(db, scope)
    columns = [(role_name(role), permissions_of(role)) for role in BuiltIn]
    columns += [(role.name, known(role.permissions)) for role in own]
    return render(
        request,
        "roles/roles.html",
        areas=[(area_name(area), permissions) for area, permissions in by_area().items()],
        columns=columns,
        own=own,
        holders=await queries.count_holders(db, scope) if own else {},
        may_change=lambda role: scope.allows("roles.change") and may_grant(scope.membership, role),
    )


async def new(request: Request, scope: ChangingScope) -> Response:
    """Ask for a role's name and what it allows."""
    return _show(request, scope, Submitted.blank(CustomRoleForm, permissions=[ENTRY]))


async def create(request: Request, scope: ChangingScope, db: Db, form: Submitted[CustomRoleForm]) -> Response:
    """Make a role."""
    if form.is_valid:
        values = {"name": form.data.name, "permissions": form.data.permissions}
        try:
            await actions.create_role(db, scope, **values, facts=RequestFacts.of(request))  # type: ignore[arg-type] # as named
        except Refusal as refusal:
            form.add_error(_field(refusal), _(refusal.message))
        else:
            flash(request, _("The role %(name)s can be given to members now.") % {"name": form.data.name})
            return see(request, "roles.roles", slug=scope.organization.slug)
    return _show(request, scope, form)


async def edit(request: Request, scope: ChangingScope, role: NamedRole) -> Response:
    """Show what a role allows, to change it."""
    form = Submitted.blank(CustomRoleForm, name=role.name, permissions=sorted(known(role.permissions)))
    return _show(request, scope, form, role)


async def update(
    request: Request, scope: ChangingScope, db: Db, role: ChangedRole, form: Submitted[CustomRoleForm]
) -> Response:
    """Change a role."""
    if form.is_valid:
        values = {"name": form.data.name, "permissions": form.data.permissions}
        try:
            await actions.change_role(db, scope, role, **values, facts=RequestFacts.of(request))  # type: ignore[arg-type] # as named
        except Refusal as refusal:
            form.add_error(_field(refusal), _(refusal.message))
        else:
            flash(request, _("The role %(name)s is changed.") % {"name": form.data.name})
            return see(request, "roles.roles", slug=scope.organization.slug)
    return _show(request, scope, form, role)


async def ask_deletion(request: Request, scope: ChangingScope, db: Db, role: NamedRole) -> Response:
    """Say who holds a role, and ask which one they get instead."""
    return await _show_deletion(request, scope, db, role, Submitted.blank(DeletionForm, role=BuiltIn.MEMBER.value))


async def delete(
    request: Request,
    scope: ChangingScope,
    db: Db,
    settings: CurrentSettings,
    role: ChangedRole,
    form: Submitted[DeletionForm],
) -> Response:
    """Take a role back."""
    instead = await find_role(db, scope, form.data.role) if form.is_valid else None
    try:
        await actions.delete_role(db, settings, scope, role, instead=instead, facts=RequestFacts.of(request))
    except Refusal as refusal:
        form.add_error("role", _(refusal.message))
        return await _show_deletion(request, scope, db, role, form)
    flash(request, _("The role %(name)s is deleted.") % {"name": role.name})
    return see(request, "roles.roles", slug=scope.organization.slug)


def _field(refusal: Refusal) -> str:
    return "name" if isinstance(refusal, actions.RoleExists | actions.TooManyRoles) else "permissions"


def _show(request: Request, scope: Scope, form: Submitted[CustomRoleForm], role: CustomRole | None = None) -> Response:
    """The form, with the permissions that the member holds: others they cannot give."""
    given = scope.membership.permissions - BUILT_IN_ONLY
    areas = [
        (area_name(area), {name: each for name, each in permissions.items() if name in given})
        for area, permissions in by_area().items()
    ]
    return render(
        request, "roles/edit.html", form=form, role=role, entry=ENTRY, areas=[area for area in areas if area[1]]
    )


async def _show_deletion(
    request: Request, scope: Scope, db: Db, role: CustomRole, form: Submitted[DeletionForm]
) -> Response:
    options = role_options(each for each in await list_grantable(db, scope) if each != role)
    count = (await queries.count_holders(db, scope)).get(role.id, 0)
    promised = await count_promises(db, scope, role)
    return render(request, "roles/delete.html", form=form, role=role, count=count, promised=promised, options=options)
