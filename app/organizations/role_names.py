"""What the roles are called, in the reader's language."""

from collections.abc import Iterable

from app.language import N_
from app.language import gettext as _
from app.organizations.custom_roles import AnyRole, role_key
from app.organizations.models import CustomRole
from app.policy import Role

ROLE_NAMES = {Role.OWNER: N_("Owner"), Role.ADMIN: N_("Admin"), Role.MEMBER: N_("Member")}


def role_options(roles: Iterable[AnyRole]) -> list[tuple[str, str]]:
    """The keys and names of roles, to choose from."""
    return [(role_key(role), role_name(role)) for role in roles]


def role_name(role: AnyRole | str) -> str:
    """What a role is called: a built-in one in the reader's language, one of an organization's own as they named it."""
    return role.name if isinstance(role, CustomRole) else _(ROLE_NAMES[Role(role)])
