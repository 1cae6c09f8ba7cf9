"""Who may give which role to whom: nobody hands out, or takes away, more than they have themselves."""

from app.errors import Refusal
from app.language import N_
from app.organizations.models import CustomRole, Membership, RoleHolder
from app.policy import known, permissions_of

Holder = RoleHolder | CustomRole | str
"""Whoever or whatever holds permissions: what has a role, a role of an organization's own, or a built-in one by its name."""


class AboveYourOwnRole(Refusal):
    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("You cannot give or change a role that is above your own."))


def powers_of(holder: Holder) -> frozenset[str]:
    """All that it allows."""
    if isinstance(holder, RoleHolder):
        return holder.permissions
    return known(holder.permissions) if isinstance(holder, CustomRole) else permissions_of(holder)


def may_grant(granter: Holder, role: Holder) -> bool:
    """Whether somebody who holds `granter` may give `role`: it allows nothing that they may not do themselves."""
    return powers_of(role) <= powers_of(granter)


def require_power_over(own: Membership, *roles: Holder) -> None:
    """Raises AboveYourOwnRole unless each of the roles allows at most what `own` does."""
    if not all(may_grant(own, role) for role in roles):
        raise AboveYourOwnRole
