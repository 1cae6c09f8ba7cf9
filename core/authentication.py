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

    def __init__(self, username: str) -> None:
        self.username = username

    @property
    def is_authenticated(self) -> bool:
        """Always."""
        return True

    @property
    def display_name(self) -> str:
        """The user name."""
        return self.username

    @property
    def identity(self) -> str:
        """The user name."""
        return self.username


class UnauthenticatedUser(BaseUser):
    """Nobody in particular."""

    @property
    def is_authenticated(self) -> bool:
        """Never."""
        return False

    @property
    def display_name(self) -> str:
        """Empty."""
        return ""

    @property
    def identity(self) -> str:
        """Empty."""
        return ""


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
    required = [scopes] if isinstance(scopes, str) else list(scopes)

    def decorate(func: Callable[P, Any]) -> Callable[P, Any]:
        name, position = _find_connection_parameter(func)
        if name == "websocket":
            return _guard_websocket(func, position, required)
        refuse = functools.partial(_refuse, status_code=status_code, redirect=redirect)
        return (_guard_async if is_async_callable(func) else _guard_sync)(func, position, required, refuse)

    return decorate


def _find_connection_parameter(func: Callable[..., Any]) -> tuple[str, int]:
    for position, name in enumerate(inspect.signature(func).parameters):
        if name in ("request", "websocket"):
            return name, position
    raise TypeError(f'No "request" or "websocket" argument on function "{func}"')


def _connection_argument(name: str, position: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return kwargs.get(name, args[position] if position < len(args) else None)


def _refuse(request: Request, *, status_code: int, redirect: str | None) -> RedirectResponse:
    if redirect is None:
        raise HTTPException(status_code=status_code)
    query = urlencode({"next": str(request.url)})
    return RedirectResponse(url=f"{request.url_for(redirect)}?{query}", status_code=303)


def _guard_websocket(func: Callable[P, Any], position: int, required: list[str]) -> Callable[P, Any]:
    @functools.wraps(func)
    async def websocket_wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        websocket = _connection_argument("websocket", position, args, kwargs)
        assert isinstance(websocket, WebSocket), "The argument `websocket` must be a WebSocket."
        if has_required_scope(websocket, required):
            await func(*args, **kwargs)
        else:
            await websocket.close()

    return websocket_wrapper


def _guard_async(func: Callable[P, Any], position: int, required: list[str], refuse: Any) -> Callable[P, Any]:
    @functools.wraps(func)
    async def async_wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
        request = _connection_argument("request", position, args, kwargs)
        assert isinstance(request, Request), "The argument `request` must be a Request."
        return await func(*args, **kwargs) if has_required_scope(request, required) else refuse(request)

    return async_wrapper


def _guard_sync(func: Callable[P, Any], position: int, required: list[str], refuse: Any) -> Callable[P, Any]:
    @functools.wraps(func)
    def sync_wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
        request = _connection_argument("request", position, args, kwargs)
        assert isinstance(request, Request), "The argument `request` must be a Request."
        return func(*args, **kwargs) if has_required_scope(request, required) else refuse(request)

    return sync_wrapper
