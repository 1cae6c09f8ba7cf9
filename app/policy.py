"""Who may do what: one table of permissions and roles, as data.

The check on every request, the page that explains the roles, docs/policy.md, `python -m app policy` and the tests all read
`PERMISSIONS`. A route without a policy and without an explicit `public(...)` fails the build (tests/test_architecture.py).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from app.language import N_
from core.params import Depends, dependencies_of
from core.routing import BaseRoute

RouteT = TypeVar("RouteT", bound=BaseRoute)


class Role(StrEnum):
    """A member's role in an organization, from the most to the least powerful."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


@dataclass(frozen=True)
class Permission:
    """What somebody may do, said to people (a message id), and the built-in roles that may do it."""

    sentence: str
    roles: frozenset[Role]


EVERYONE = frozenset(Role)
ADMINS = frozenset({Role.OWNER, Role.ADMIN})
OWNERS = frozenset({Role.OWNER})

PERMISSIONS: dict[str, Permission] = {
    "organization.view": Permission(N_("Enter the organization and see its dashboard."), EVERYONE),
    "organization.update": Permission(N_("Change the organization's name and address."), ADMINS),
    "organization.transfer": Permission(N_("Offer the organization to somebody else."), OWNERS),
    "organization.delete": Permission(N_("Delete the organization."), OWNERS),
    "members.view": Permission(N_("See who belongs to the organization."), EVERYONE),
    "members.change": Permission(N_("Change members' roles, suspend and remove them."), ADMINS),
    "invitations.view": Permission(N_("See who is invited and by which links people join."), ADMINS),
    "invitations.create": Permission(N_("Invite people, make links and name domains by which they join."), ADMINS),
    "roles.view": Permission(N_("See the roles and what each of them allows."), EVERYONE),
    "roles.change": Permission(N_("Make, change and delete roles of the organization's own."), ADMINS),
    "security.view": Permission(N_("See the security policy."), ADMINS),
    "security.update": Permission(N_("Change the security policy."), OWNERS),
    "audit.view": Permission(N_("Read the audit log and download it."), ADMINS),
    "projects.view": Permission(N_("See the organization's projects and download them."), EVERYONE),
    "projects.create": Permission(N_("Start projects."), EVERYONE),
    "projects.update": Permission(N_("Change projects."), EVERYONE),
    "projects.delete": Permission(N_("Delete projects, and bring deleted ones back."), ADMINS),
    "projects.import": Permission(N_("Import projects from a file."), ADMINS),
    "files.view": Permission(N_("See the organization's files and download them."), EVERYONE),
    "files.upload": Permission(N_("Upload files."), EVERYONE),
    "files.delete": Permission(N_("Delete files, bring deleted ones back, and erase them for good."), ADMINS),
}

# What the first part of a permission's name is called; an area that is not named here is called what it is.
AREAS = {
    "organization": N_("Organization"),
    "members": N_("Members"),
    "invitations": N_("Invitations"),
    "roles": N_("Roles"),
    "security": N_("Security"),
    "audit": N_("Audit log"),
    "projects": N_("Projects"),
    "files": N_("Files"),
}

# Without it nobody could enter the organization, so that every role of an organization's own has it.
ENTRY = "organization.view"

# What only a built-in role may ever allow: a role of an organization's own cannot give it away or delete it.
BUILT_IN_ONLY = frozenset({"organization.transfer", "organization.delete"})


def allows(role: Role | str, permission: str) -> bool:
    """Whether `role` holds `permission`. Raises KeyError for a permission that the table does not have."""
    return Role(role) in PERMISSIONS[permission].roles


@lru_cache(maxsize=len(Role))
def permissions_of(role: Role | str) -> frozenset[str]:
    """All that a built-in role allows. Raises ValueError for a role that is none."""
    return frozenset(name for name, permission in PERMISSIONS.items() if Role(role) in permission.roles)


def known(permissions: Collection[str]) -> frozenset[str]:
    """Those of `permissions` that the table (still) has and that a role of an organization's own may allow; and entry."""
    return ((frozenset(permissions) & PERMISSIONS.keys()) - BUILT_IN_ONLY) | {ENTRY}


def by_area() -> dict[str, dict[str, Permission]]:
    """The table in parts: the permissions of each area, in the order in which they are written."""
    found: dict[str, dict[str, Permission]] = {}
    for name, permission in PERMISSIONS.items():
        found.setdefault(name.partition(".")[0], {})[name] = permission
    return found


def area_name(area: str) -> str:
    """What an area is called, as a message id."""
    return AREAS.get(area) or area.replace("_", " ").capitalize()


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
