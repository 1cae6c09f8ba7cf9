"""Where pages are, and what leads from one to another."""

from functools import lru_cache
from typing import Any

from core.applications import Starlette
from core.requests import HTTPConnection
from core.responses import RedirectResponse

# What depends on who asks is kept by no cache.
NEVER_STORED = {"cache-control": "no-store"}
# A page that was opened by a secret link tells nobody where its visitor came from, either.
UNTRACED = {"referrer-policy": "no-referrer", **NEVER_STORED}


def path_of(connection: HTTPConnection, route: str, /, **parameters: Any) -> str:
    """The path of the route with this name. Raises core.routing.NoMatchFound."""
    return _known_path(connection.app, route, tuple(parameters.items()))


@lru_cache(maxsize=8192)
def _known_path(app: Starlette, route: str, parameters: tuple[tuple[str, Any], ...]) -> str:
    """The path of a route, which does not change while the application runs."""
    return str(app.url_path_for(route, **dict(parameters)))


def see(connection: HTTPConnection, route: str, /, **parameters: Any) -> RedirectResponse:
    """Lead to another page by GET, as after a form that was dealt with."""
    return see_path(path_of(connection, route, **parameters))


def see_path(path: str) -> RedirectResponse:
    """Lead to a path of our own by GET. The answer depends on who asked."""
    return RedirectResponse(path, status_code=303, headers=NEVER_STORED)
