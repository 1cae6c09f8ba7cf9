"""The features of the product, found rather than listed: a folder under `app/` with a `routes.py` is live."""

import importlib
import importlib.util
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.requests import Request
from core.routing import BaseRoute

FOLDER = Path(__file__).parent
ContentCount = Callable[[AsyncSession, Any], Awaitable[list[str]]]  # Any: a Scope, which shared modules do not know.
ShellPart = Callable[[Request, AsyncSession, UUID], Awaitable[None]]

# A feature imports only features to its left. One that is not named here comes after the last that is.
IMPORT_ORDER = (
    "jobs",
    "email",
    "audit",
    "accounts",
    "waitlist",
    "passwords",
    "codes",
    "identity",
    "devices",
    "two_factor",
    "connections",
    "tokens",
    "notifications",
    "organizations",
    "invitations",
    "roles",
    "files",
    "profile",
    "privacy",
    "realtime",
    "billing",
    "api",
    "staff",
    "site",
)
SHARED_PACKAGES = frozenset({"commands", "translations"})


@dataclass(frozen=True)
class NavigationItem:
    """An entry of the sidebar, shown to those whose role holds `permission`.

    `label` is a message id (mark it with `app.language.N_`), `route` the name of a route with the parameter `slug`, and `icon`
    a name from templates/components/icon.html.
    """

    label: str
    route: str
    permission: str
    icon: str
    position: int = 100


@dataclass(frozen=True)
class AccountItem:
    """An entry of the menu over a person's own pages (/account/...): as `NavigationItem`, open to whoever is signed in."""

    label: str
    route: str
    icon: str
    position: int = 100


@dataclass(frozen=True)
class Duties:
    """What a member may answer for, and others can take over when they are removed.

    `describe(db, scope, user_id)` says how much it is, such as "3 projects", or nothing; `hand_over(db, scope, user_id,
    successor_id, facts=facts)` gives it to somebody else.
    """

    describe: Callable[[AsyncSession, Any, UUID], Awaitable[str]]  # Any: a Scope.
    hand_over: Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class ConfirmationWay:
    """A way to prove again who one is, offered on /confirm-identity beside the password and the mailed code.

    `route` names a page that takes `?next=` and ends with `accounts.entering.confirm`; `is_open` says whether a person, by
    their id, has what it needs. A feature's routes.py lists its ways as `confirmation_ways`.
    """

    label: str
    route: str
    icon: str
    is_open: Callable[[AsyncSession, UUID], Awaitable[bool]]
    position: int = 100


def feature_names() -> list[str]:
    """The names of all features, those that others build on first."""
    folders = (folder for folder in FOLDER.iterdir() if folder.name not in SHARED_PACKAGES)
    return sorted((folder.name for folder in folders if any(folder.glob("*.py"))), key=_position)


@lru_cache
def modules(file: str) -> tuple[tuple[str, ModuleType], ...]:
    """Import `file` (such as "models") of every feature that has it: pairs of feature and module."""
    paths = ((name, f"app.{name}.{file}") for name in feature_names())
    return tuple((name, importlib.import_module(path)) for name, path in paths if importlib.util.find_spec(path))


def import_models() -> None:
    """Import every feature's tables and those of shared modules, so that `Base.metadata` is complete."""
    for shared in ("app.idempotency", "app.inbound", "app.publishing", "app.throttle"):
        importlib.import_module(shared)
    modules("models")


def routes(*, development: bool) -> list[BaseRoute]:
    """Every feature's routes in import order; with `development` also those that only a developer needs."""
    found: list[BaseRoute] = []
    for _, module in modules("routes"):
        found += getattr(module, "routes", [])
        if development:
            found += getattr(module, "development_routes", [])
    return found


@lru_cache(maxsize=1)
def navigation() -> tuple[NavigationItem, ...]:
    """The entries of the sidebar, in the order in which they are shown."""
    items = [item for _, module in modules("routes") for item in getattr(module, "navigation", [])]
    return tuple(sorted(items, key=lambda item: item.position))


@lru_cache(maxsize=1)
def account_navigation() -> tuple[AccountItem, ...]:
    """The entries of the menu over a person's own pages, in the order in which they are shown."""
    items = [item for _, module in modules("routes") for item in getattr(module, "account_navigation", [])]
    return tuple(sorted(items, key=lambda item: item.position))


@lru_cache(maxsize=1)
def shell_parts() -> tuple[ShellPart, ...]:
    """What fills the frame around every page of somebody who is signed in: `fill_shell` of the features' routes.py.

    Each puts what it found into `request.state`, for `templates.page_context`.
    """
    return tuple(module.fill_shell for _, module in modules("routes") if hasattr(module, "fill_shell"))


@lru_cache(maxsize=1)
def content_counts() -> tuple[ContentCount, ...]:
    """What counts what would go with an organization: `count_contents(db, scope)` of the features' routes.py.

    Each returns sentences in the reader's language, such as "12 projects"; none for what there is nothing of.
    """
    return tuple(module.count_contents for _, module in modules("routes") if hasattr(module, "count_contents"))


@lru_cache(maxsize=1)
def duties() -> tuple[Duties, ...]:
    """What members of an organization may answer for: the `duties` of the features' routes.py."""
    return tuple(module.duties for _, module in modules("routes") if hasattr(module, "duties"))


@lru_cache(maxsize=1)
def confirmation_ways() -> tuple[ConfirmationWay, ...]:
    """The ways in which people may confirm who they are, in the order in which they are shown."""
    ways = [way for _, module in modules("routes") for way in getattr(module, "confirmation_ways", [])]
    return tuple(sorted(ways, key=lambda way: way.position))


def _position(name: str) -> tuple[int, str]:
    return (IMPORT_ORDER.index(name) if name in IMPORT_ORDER else len(IMPORT_ORDER), name)
