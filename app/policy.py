"""Who may do what: one table of permissions and roles, as data.

The check on every request, the page that explains the roles and the tests all read `PERMISSIONS`. A route without a
policy and without an explicit `public(...)` fails the build (tests/test_architecture.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from core.params import Depends, dependencies_of
from core.routing import BaseRoute

RouteT = TypeVar("RouteT", bound=BaseRoute)


class Role(StrEnum):
    """A member's role in an organization, from the most to the least powerful."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


EVERYONE = frozenset(Role)
ADMINS = frozenset({Role.OWNER, Role.ADMIN})
OWNERS = frozenset({Role.OWNER})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "organization.view": EVERYONE,
    "organization.update": ADMINS,
    "organization.transfer": OWNERS,
    "organization.delete": OWNERS,
    "members.view": EVERYONE,
    "members.change": ADMINS,
    "invitations.view": ADMINS,
    "invitations.create": ADMINS,
    "security.view": ADMINS,
    "security.update": OWNERS,
    "audit.view": ADMINS,
}


def allows(role: Role | str, permission: str) -> bool:
    """Whether `role` holds `permission`. Raises KeyError for a permission that the table does not have."""
    return Role(role) in PERMISSIONS[permission]


class Guard(Depends):
    """A dependency that lets a request pass or refuses it; `access` says in words whom it lets pass.

    `scope` is what a token needs to pass as well (`app.tokens.scopes`); without one only a browser's session does.
    """

    def __init__(self, dependency: Any, *, access: str, scope: str | None = None) -> None:
        super().__init__(dependency)
        self.access = access
        self.scope = scope
        # What the OpenAPI document says of the routes behind it.
        self.openapi_security: Mapping[str, Sequence[str]] = {"session": (), **({"token": (scope,)} if scope else {})}


# Keyed by identity: two routes that compare equal may still be open to different people.
_PUBLIC: dict[int, BaseRoute] = {}


def public(route: RouteT) -> RouteT:
    """Declare that anyone may use `route`, signed in or not."""
    _PUBLIC[id(route)] = route
    return route


def is_public(route: BaseRoute) -> bool:
    return _PUBLIC.get(id(route)) is route


def access_of(route: BaseRoute) -> list[str]:
    """Say who may use `route`: `["public"]`, or what each of its guards asks for; empty means nobody decided."""
    if is_public(route):
        return ["public"]
    return list(_guards_of(route))


def _guards_of(route: BaseRoute) -> Iterator[str]:
    endpoint = getattr(route, "endpoint", None)
    if endpoint is None:
        return
    for dependency in dependencies_of(endpoint, behind=getattr(route, "dependencies", ())):
        if isinstance(dependency, Guard):
            yield dependency.access
