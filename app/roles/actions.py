"""Making an organization's own roles, changing them and taking them back. Nobody makes one that allows more than they may."""

import secrets
from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import RequestFacts
from app.config import Settings
from app.errors import Refusal
from app.invitations.door_queries import count_promises
from app.invitations.promises import replace_role
from app.language import N_
from app.organizations import members
from app.organizations.custom_roles import AnyRole, list_custom_roles
from app.organizations.granting import AboveYourOwnRole, require_power_over
from app.organizations.models import LONGEST_ROLE_NAME, CustomRole, Scope
from app.organizations.recording import Changes, note_about
from app.organizations.slugs import slug_of
from app.policy import Role, known
from app.roles.queries import count_holders, list_holders

MOST_ROLES = 30


class RoleExists(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("The organization has a role of this name already."))


class TooManyRoles(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("The organization has as many roles as it can have. Delete one that nobody needs."))


class RoleInUse(Refusal):
    """Members hold the role, or invitations promise it, and nobody said which one they get instead."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("Somebody has this role, or was promised it. Choose the one that they get instead."))


async def create_role(
    db: AsyncSession, scope: Scope, *, name: str, permissions: Sequence[str], facts: RequestFacts
) -> CustomRole:
    """Make a role. Raises AboveYourOwnRole, RoleExists and TooManyRoles."""
    given = _checked(scope, permissions)
    if len(await list_custom_roles(db, scope)) >= MOST_ROLES:
        raise TooManyRoles
    role = CustomRole(
        organization_id=scope.organization.id, key=_key(name), name=name, permissions=given, created_by=scope.user.id
    )
    try:
        async with db.begin_nested():
            db.add(role)
    except IntegrityError:
        raise RoleExists from None
    changes: Changes = {"name": [None, name], "permissions": [None, given]}
    await note_about(db, "roles.created", scope, ("role", role.id, name), facts, changes)
    return role


async def change_role(
    db: AsyncSession, scope: Scope, role: CustomRole, *, name: str, permissions: Sequence[str], facts: RequestFacts
) -> None:
    """Let a role allow something else from now on, for all who hold it. Raises AboveYourOwnRole and RoleExists."""
    require_power_over(scope.membership, role)
    given = _checked(scope, permissions)
    before = {"name": role.name, "permissions": sorted(known(role.permissions))}
    after = {"name": name, "permissions": given}
    try:
        async with db.begin_nested():
            role.name, role.permissions = name, given
    except IntegrityError:
        raise RoleExists from None
    changes: Changes = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
    if changes:
        await note_about(db, "roles.changed", scope, ("role", role.id, name), facts, changes)


async def delete_role(
    db: AsyncSession,
    settings: Settings,
    scope: Scope,
    role: CustomRole,
    *,
    instead: AnyRole | None,
    facts: RequestFacts,
) -> None:
    """Take a role back. Raises AboveYourOwnRole and RoleInUse.

    Those who hold it get another one and are told, and so does whoever still accepts what promised it.
    """
    require_power_over(scope.membership, role)
    await _require_successor(db, scope, role, instead)
    gone = delete(CustomRole).where(CustomRole.organization_id == role.organization_id, CustomRole.id == role.id)
    try:
        async with db.begin_nested():
            # Promises before members: accepting locks them in this order as well, so that neither waits for the other.
            await replace_role(db, scope, role, instead=instead)
            for member in await list_holders(db, scope, role):
                await members.change_role(db, settings, scope, member, role=instead or Role.MEMBER, facts=facts)
            await db.execute(gone.execution_options(synchronize_session=False))
    except IntegrityError:  # Somebody gave or promised it at this very moment: it stays with whoever has it.
        raise RoleInUse from None
    changes: Changes = {"name": [role.name, None], "permissions": [role.permissions, None]}
    await note_about(db, "roles.deleted", scope, ("role", role.id, role.name), facts, changes)


async def _require_successor(db: AsyncSession, scope: Scope, role: CustomRole, instead: AnyRole | None) -> None:
    """Raises RoleInUse if somebody has the role, or will, and nobody said what they get; AboveYourOwnRole for too much."""
    if (await count_holders(db, scope)).get(role.id) or await count_promises(db, scope, role):
        if instead is None or instead == role:
            raise RoleInUse
        require_power_over(scope.membership, instead)


def _checked(scope: Scope, permissions: Sequence[str]) -> list[str]:
    """What a role with these permissions allows, if the member may do all of it. Raises AboveYourOwnRole."""
    given = known(permissions)
    if not given <= scope.membership.permissions:
        raise AboveYourOwnRole
    return sorted(given)


def _key(name: str) -> str:
    """What programs call the role. It stays when the name changes."""
    key = slug_of(name)[:LONGEST_ROLE_NAME].strip("-")
    return key if key and key not in set(Role) else f"role-{secrets.token_hex(4)}"
