"""What the table expects of each route for each actor, and how an answer is read."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from httpx2 import Response

from app import features
from app.errors import API
from app.policy import access_of, permissions_of
from app.tokens.scopes import all_scopes, covers, scope_for
from core.routing import BaseRoute

TABLE = tomllib.loads((Path(__file__).parent / "routes.toml").read_text())
CONFIRMED = ", confirmed"


class Outcome(StrEnum):
    """What becomes of a request. Pages and programs are told the same in different ways."""

    IN = "let in"
    LOG_IN = "asked to log in"
    CONFIRM = "asked to confirm who they are"
    FORBIDDEN = "forbidden"
    MISSING = "told that there is no such thing"
    FAILED = "shown an error of ours"


@dataclass(frozen=True)
class Actor:
    """Whoever asks: by a session or a token, as somebody with these permissions in the organization, or as nobody there."""

    name: str
    has_session: bool = True
    scopes: frozenset[str] | None = None
    permissions: frozenset[str] | None = None
    is_confirmed: bool = True
    is_staff: bool = False


CUSTOM = frozenset({"organization.view", "roles.view", "audit.view"})
READING = frozenset(scope for scope in all_scopes() if scope.endswith(":read"))
WRITING = frozenset(all_scopes())

ACTORS = (
    Actor("anonymous", has_session=False),
    Actor("stranger"),
    Actor("removed"),
    Actor("suspended"),
    Actor("member", permissions=permissions_of("member")),
    Actor("admin", permissions=permissions_of("admin")),
    Actor("owner", permissions=permissions_of("owner")),
    Actor("custom", permissions=CUSTOM),
    Actor("stale", permissions=permissions_of("owner"), is_confirmed=False),
    Actor("reading token", has_session=False, scopes=READING, permissions=permissions_of("owner")),
    Actor("writing token", has_session=False, scopes=WRITING, permissions=permissions_of("owner")),
    Actor("stranger's token", has_session=False, scopes=WRITING),
    Actor("staff", is_staff=True),
)


@dataclass(frozen=True)
class Row:
    """What the table says of a route.

    Who may use it, whether its answer never ends, whether they find something there, and what stands behind its `?`.
    """

    access: str
    endless: bool = False
    finds: bool = True
    query: str = ""

    @property
    def needs_confirmation(self) -> bool:
        return self.access.endswith(CONFIRMED)

    @property
    def base(self) -> str:
        return self.access.removesuffix(CONFIRMED)


def rows() -> Mapping[str, Row]:
    """The table by the names of routes, without the features that this product does not have."""
    known = {*features.feature_names(), "health", "static"}
    found = {}
    for feature, routes in TABLE["routes"].items():
        for name, value in routes.items() if feature in known else ():
            row = Row(value) if isinstance(value, str) else Row(**value)
            found[f"{feature}.{name}" if name != "static" else name] = row
    return found


def stated_access(route: BaseRoute) -> str:
    """What the route's own guards ask for, in the words of the table."""
    asked = access_of(route)
    permissions = [access for access in asked if access.startswith("permission ")]
    tokens = [access.removeprefix("signed in, or a ") for access in asked if "a token with" in access]
    confirmed = CONFIRMED if any("confirmed lately" in access for access in asked) else ""
    if permissions or tokens:
        return (permissions or tokens)[0] + confirmed
    for access, word in (
        ("public", "public"),
        ("staff", "staff"),
        ("staff, confirmed lately", "staff"),
        ("member", "member"),
        ("member, whatever the security policy says", "member"),
        ("signed in, or a token", "person or token"),
    ):
        if access in asked:
            return word + confirmed
    return ("person" if asked else "nobody decided") + confirmed


def is_for_programs(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in API)


def expected(row: Row, actor: Actor, path: str) -> Outcome:
    """What becomes of the actor's request."""
    token = actor.scopes if is_for_programs(path) else None
    if row.base == "public":
        return Outcome.IN
    if not actor.has_session and token is None:
        return Outcome.LOG_IN
    if refusal := _refusal(row.base, actor, token):
        return refusal
    if row.needs_confirmation and (token is not None or not actor.is_confirmed):
        return Outcome.LOG_IN if token is not None else Outcome.CONFIRM
    return Outcome.IN


def _refusal(base: str, actor: Actor, token: frozenset[str] | None) -> Outcome | None:
    if base == "person":
        return None if token is None else Outcome.LOG_IN
    if base == "staff":
        return None if actor.is_staff else Outcome.MISSING
    if base.startswith("token with "):
        return _covered(token, base.removeprefix("token with "))
    if base == "member" or base.startswith("permission "):
        if actor.permissions is None:
            return Outcome.MISSING
        return _permitted(base.removeprefix("permission "), actor.permissions, token) if base != "member" else None
    return None


def _permitted(permission: str, held: frozenset[str], token: frozenset[str] | None) -> Outcome | None:
    return _covered(token, scope_for(permission)) or (None if permission in held else Outcome.FORBIDDEN)


def _covered(token: frozenset[str] | None, needed: str | None) -> Outcome | None:
    is_covered = token is None or (needed is not None and covers(token, needed))
    return None if is_covered else Outcome.FORBIDDEN


def actors_for(row: Row) -> tuple[Actor, ...]:
    """All of them, where there is something to guard; of those who may all come, eight will do."""
    return ACTORS[:8] if row.base == "public" else ACTORS


def outcome_of(response: Response, wanted: Outcome, row: Row, *, finds: bool) -> Outcome:
    """What became of the request. `finds` says whether there is something at its address for those who may come."""
    if response.status_code >= 500:
        return Outcome.FAILED
    if wanted == Outcome.IN:
        return _read_openly(response, row, finds=finds)
    target = urlsplit(response.headers.get("location", "")).path
    refusals = {401: Outcome.LOG_IN, 403: Outcome.FORBIDDEN, 404: Outcome.MISSING}
    if response.status_code in refusals:
        found = refusals[response.status_code]
        return Outcome.CONFIRM if (found, wanted) == (Outcome.FORBIDDEN, Outcome.CONFIRM) else found
    if response.status_code == 303 and target in ("/log-in", "/confirm-identity"):
        return Outcome.LOG_IN if target == "/log-in" else Outcome.CONFIRM
    return Outcome.IN


def _read_openly(response: Response, row: Row, *, finds: bool) -> Outcome:
    """Whoever may come is not sent away; that something of theirs is not there is known only where there is something."""
    if row.base == "public":
        return Outcome.IN
    refusals = {401: Outcome.LOG_IN, 403: Outcome.FORBIDDEN, 404: Outcome.MISSING}
    found = refusals.get(response.status_code, Outcome.IN)
    if found == Outcome.MISSING and not finds:
        return Outcome.IN
    target = urlsplit(response.headers.get("location", "")).path
    if row.needs_confirmation and response.status_code == 303 and target == "/confirm-identity":
        return Outcome.CONFIRM
    return Outcome.LOG_IN if response.status_code == 303 and target == "/log-in" else found
