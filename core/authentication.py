"""Who a connection belongs to, and what it may do."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec
from urllib.parse import urlencode

from core._utils import is_async_callable
from core.exceptions import HTTPException
from core.requests import HTTPConnection, Request
from core.responses import RedirectResponse
from core.websockets import WebSocket

P = ParamSpec("P")


class AuthenticationError(Exception):
    """The credentials of a connection are wrong; raised by backends."""


class AuthCredentials:
    """What a connection may do: a list of scopes."""

    def __init__(self, scopes: Sequence[str] | None = None) -> None:
        self.scopes = [] if scopes is None else list(scopes)


class BaseUser:
    """Whom a connection belongs to."""

    @property
    def is_authenticated(self) -> bool:
        """Whether the connection has shown who it is."""
        raise NotImplementedError

    @property
    def display_name(self) -> str:
        """The name to show to people."""
        raise NotImplementedError

    @property
    def identity(self) -> str:
        """What tells this user from all others."""
        raise NotImplementedError


class SimpleUser(BaseUser):
    """A user who has a name and nothing else."""

    is_authenticated = True

    def __init__(self, username: str) -> None:
        self.username = username

    @property
    def display_name(self) -> str:
        """The user name."""
        return self.username

    identity = display_name


class UnauthenticatedUser(BaseUser):
    """Nobody in particular."""

    is_authenticated = False
    display_name = ""
    identity = ""


class AuthenticationBackend:
    """Finds out who a connection belongs to."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """The credentials and the user, or None if the connection shows none. Raises AuthenticationError."""
        raise NotImplementedError


def has_required_scope(conn: HTTPConnection, scopes: Sequence[str]) -> bool:
    """Whether the connection has every one of the scopes."""
    return all(scope in conn.auth.scopes for scope in scopes)


def requires(
    scopes: str | Sequence[str], status_code: int = 403, redirect: str | None = None
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Let only connections with all the scopes reach the endpoint.

    Others get `status_code`, or a redirect to the route named `redirect` with this address as `next`; websockets
    are closed. The endpoint must have a parameter named `request` or `websocket`.
    """
    refuse = functools.partial(_refuse, status_code=status_code, redirect=redirect)
    required = [scopes] if isinstance(scopes, str) else list(scopes)

    def decorate(func: Callable[P, Any]) -> Callable[P, Any]:
        name, position = _find_connection_parameter(func)
        kind: type[HTTPConnection] = WebSocket if name == "websocket" else Request

        def connection_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return kwargs.get(name, args[position] if position < len(args) else None)

        @functools.wraps(func)
        async def guard_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            connection = connection_of(args, kwargs)
            if _is_allowed(kind, connection, required):
                return await func(*args, **kwargs)
            return await connection.close() if kind is WebSocket else refuse(connection)

        @functools.wraps(func)
        def guard_sync(*args: P.args, **kwargs: P.kwargs) -> Any:
            request = connection_of(args, kwargs)
            return func(*args, **kwargs) if _is_allowed(Request, request, required) else refuse(request)

        return guard_async if kind is WebSocket or is_async_callable(func) else guard_sync

    return decorate


def _find_connection_parameter(func: Callable[..., Any]) -> tuple[str, int]:
    for position, name in enumerate(inspect.signature(func).parameters):
        if name in ("request", "websocket"):
            return name, position
    raise TypeError(f'No "request" or "websocket" argument on function "{func}"')


def _is_allowed(kind: type[HTTPConnection], connection: object, required: list[str]) -> bool:
    assert isinstance(connection, kind), f"The connection must be a {kind.__name__}, not {connection!r}."
    return has_required_scope(connection, required)


def _refuse(request: Request, *, status_code: int, redirect: str | None) -> RedirectResponse:
    if redirect is None:
        raise HTTPException(status_code=status_code)
    query = urlencode({"next": str(request.url)})
    return RedirectResponse(url=f"{request.url_for(redirect)}?{query}", status_code=303)
