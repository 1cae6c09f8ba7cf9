"""What a token may be allowed to do: for each area of `app.policy` to read it, or to change it as well.

A scope never adds to what the person's role allows; it takes away from it.
"""

from collections.abc import Iterable

from app.policy import PERMISSIONS

# The person themselves and the list of their organizations, which no permission of an organization covers.
ACCOUNT = "account:read"
_READING = frozenset({"view"})
# What a person does themselves, in a session: no program may give an organization away or loosen what protects it, nor
# decide what people may do.
PERSONS_ONLY = frozenset({"organization.transfer", "organization.delete", "security.update", "roles.change"})


def scope_for(permission: str) -> str | None:
    """The scope that covers a permission: "members.view" is in "members:read", "members.invite" in "members:write".

    None for what no token may do.
    """
    if permission in PERSONS_ONLY:
        return None
    area, _, verb = permission.partition(".")
    return f"{area}:read" if verb in _READING else f"{area}:write"


def all_scopes() -> dict[str, list[str]]:
    """Every scope that a token can have, with the permissions that it adds."""
    found: dict[str, list[str]] = {ACCOUNT: []}
    for permission in PERMISSIONS:
        if scope := scope_for(permission):
            found.setdefault(scope, []).append(permission)
    return dict(sorted(found.items()))


def covers(scopes: Iterable[str], needed: str) -> bool:
    """Whether a token with `scopes` has the scope `needed`; who may change an area may read it."""
    area = needed.partition(":")[0]
    return not {needed, f"{area}:write"}.isdisjoint(scopes)
