"""Which application answers which address, and the way back from a name to its address.

A route, a mount, a host and a router are all ASGI applications. Routers search an index (see core._router_index);
`matches` of each route says the same for one route and stays usable by itself.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, ClassVar
from urllib.parse import quote

from core._exception_handler import answer_exception, wrap_app_handling_exceptions
from core._lifespan import as_lifespan_context, compose_lifespans, run_lifespan
from core._paths import UNQUOTED, match_path, relative_location
from core._paths import compile_path as compile_path
from core._paths import replace_params as replace_params
from core._router_index import FULL, NONE, PARTIAL, ROUTE_OBSERVER_KEY, RouteList, RouterIndex, ordered_methods
from core._router_index import Match as Match
from core._tracked_send import TrackedSend, track
from core._typed.markers import Depends
from core._typed.signature import UNGUARDED, InvalidSignature, compile_typed, is_function, is_plain
from core._urls import requested_host
from core._utils import get_route_path, is_async_callable
from core.concurrency import run_in_threadpool
from core.convertors import Convertor
from core.datastructures import URLPath
from core.middleware import Middleware, wrap_in_middleware
from core.middleware.body_limit import limit_body_size
from core.requests import Request
from core.responses import RedirectResponse, Response, refusal
from core.types import ASGIApp, Lifespan, Receive, Scope, Send
from core.websockets import WebSocket, WebSocketClose


class NoMatchFound(Exception):
    """No route has this name and takes exactly these parameters."""

    def __init__(self, name: str, path_params: Mapping[str, Any]) -> None:
        super().__init__(f'No route exists for name "{name}" and params "{", ".join(path_params)}".')


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """The ASGI application of a handler; one that is not async runs in a worker thread.

    The application's exception handlers get the very request that the handler saw.
    """
    call: Any = func if is_async_callable(func) else lambda request: run_in_threadpool(func, request)

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        tracked = send if type(send) is TrackedSend else TrackedSend(send)
        request = Request(scope, receive, tracked)
        try:
            response = await call(request)
            await response(scope, receive, tracked)
        except Exception as error:
            if not await answer_exception(error, request, receive, tracked):
                raise

    return respond


def websocket_session(func: Callable[[WebSocket], Awaitable[None]]) -> ASGIApp:
    """The ASGI application of a websocket handler."""

    async def converse(scope: Scope, receive: Receive, send: Send) -> None:
        tracked = track(send)
        session = WebSocket(scope, receive, tracked)
        await wrap_app_handling_exceptions(lambda *channels: func(session), session)(scope, receive, tracked)

    return converse


def get_name(endpoint: Callable[..., Any]) -> str:
    """The name that a route has if it is given none: the function's, the class's, or that of the object's class."""
    return str(getattr(endpoint, "__name__", type(endpoint).__name__))


async def answer_not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """404, or the end of a websocket. Raises HTTPException inside an application, whose handlers then answer."""
    if scope["type"] == "websocket":
        await WebSocketClose()(scope, receive, send)
    else:
        await refusal(scope, 404)(scope, receive, send)


async def answer_method_not_allowed(scope: Scope, receive: Receive, send: Send, allowed: Collection[str]) -> None:
    """405 with the methods that are allowed (RFC 9110 section 15.5.6)."""
    headers = {"Allow": ", ".join(ordered_methods(allowed))}
    await refusal(scope, 405, headers)(scope, receive, send)


class BaseRoute:
    """What a router holds: something that can match a scope and handle it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it matches, and what to add to the scope if so."""
        raise NotImplementedError

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The address of the route of that name. Raises NoMatchFound."""
        raise NotImplementedError

    def handle(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a scope that matched. May be a coroutine function."""
        raise NotImplementedError

    def place_behind(self, dependencies: Sequence[Depends]) -> None:
        """Run these dependencies before all that the route runs. Raises InvalidSignature where nothing would run them."""
        raise InvalidSignature(self, UNGUARDED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an application of its own, without a router."""
        match, child_scope = self.matches(scope)
        if match is NONE:
            await answer_not_found(scope, receive, send)
            return
        scope.update(child_scope)
        await self.handle(scope, receive, send)


class _EndpointRoute(BaseRoute):
    """What Route and WebSocketRoute share: one path, one endpoint, one name."""

    scope_type: ClassVar[str]
    methods: set[str] | None = None
    app: ASGIApp
    dependencies: Sequence[Depends] = ()
    # None in a subclass that makes its application itself, as FastAPI's route does.
    _serve: Callable[[Callable[[Any], Any]], ASGIApp] | None = None
    _enclose: Callable[[ASGIApp], ASGIApp]

    def place_behind(self, dependencies: Sequence[Depends]) -> None:
        """Run these dependencies before those that the route has. Raises InvalidSignature."""
        endpoint: Any = self.endpoint
        self.dependencies = (*dependencies, *self.dependencies)
        if self._serve is not None and is_function(endpoint):
            if self.dependencies or not is_plain(endpoint, self.param_convertors):
                endpoint = compile_typed(endpoint, self.path, self.dependencies)
            endpoint = self._serve(endpoint)
        elif hasattr(endpoint, "at_path"):
            endpoint = endpoint.at_path(self.path, self.dependencies)
        elif self.dependencies:
            raise InvalidSignature(endpoint, UNGUARDED)
        self.app = self._enclose(endpoint)

    def _set_path(self, path: str, endpoint: Callable[..., Any], name: str | None) -> None:
        _require_leading_slash(path)
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """PARTIAL if only the method does not suit."""
        if scope["type"] != self.scope_type:
            return NONE, {}
        params = match_path(self.path_regex, self.param_convertors, get_route_path(scope))
        return (NONE, {}) if params is None else self.found(scope, params)

    def found(self, scope: Scope, params: dict[str, Any]) -> tuple[Match, Scope]:
        """As `matches`, where the path is known to match."""
        if outer := scope.get("path_params"):
            params = {**outer, **params}
        is_full = not self.methods or scope["method"] in self.methods
        return (FULL if is_full else PARTIAL), {"endpoint": self.endpoint, "path_params": params}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path with exactly these parameters filled in; a websocket's for ws and wss addresses."""
        if name != self.name or path_params.keys() != self.param_convertors.keys():
            raise NoMatchFound(name, path_params)
        path, _ = replace_params(self.path_format, self.param_convertors, path_params)
        return URLPath(path=path, protocol=self.scope_type)

    def handle(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Run the endpoint, or answer 405."""
        if self.methods and scope["method"] not in self.methods:
            return answer_method_not_allowed(scope, receive, send, self.methods)
        return self.app(scope, receive, send)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _EndpointRoute) and identity_of(self) == identity_of(other)


identity_of = attrgetter("scope_type", "path", "endpoint", "methods")


class Route(_EndpointRoute):
    """An endpoint at a path, for some methods.

    A function or method takes a request, or declares what it needs (see core.params), and answers GET unless `methods`
    says otherwise; any other endpoint is an ASGI application for every method. GET brings HEAD with it.
    """

    scope_type = "http"

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
        dependencies: Sequence[Depends] = (),
    ) -> None:
        self._set_path(path, endpoint, name)
        self.include_in_schema = include_in_schema
        if methods is None and is_function(endpoint):
            methods = ["GET"]
        self._serve = request_response
        self._enclose = lambda app: limit_body_size(wrap_in_middleware(app, middleware), max_body_size)
        self.place_behind(dependencies)
        self.methods = None if methods is None else {method.upper() for method in methods}
        if self.methods and "GET" in self.methods:
            self.methods.add("HEAD")

    def __repr__(self) -> str:
        methods = sorted(self.methods or ())
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r}, methods={methods!r})"


class WebSocketRoute(_EndpointRoute):
    """A websocket endpoint at a path: a function that takes the websocket, or an ASGI application."""

    scope_type = "websocket"

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        name: str | None = None,
        middleware: Sequence[Middleware] | None = None,
        dependencies: Sequence[Depends] = (),
    ) -> None:
        self._set_path(path, endpoint, name)
        self._serve = websocket_session
        self._enclose = lambda app: wrap_in_middleware(app, middleware)
        self.place_behind(dependencies)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r})"


def first_url_path(routes: Iterable[BaseRoute | Router], name: str, path_params: Mapping[str, Any]) -> URLPath:
    """The address of the first route of that name that takes these parameters. Raises NoMatchFound."""
    for route in routes:
        with suppress(NoMatchFound):
            return route.url_path_for(name, **path_params)
    raise NoMatchFound(name, path_params)


class _ApplicationRoute(BaseRoute):
    """What Mount and Host share: an application behind a pattern, and the names of the routes inside it."""

    name: str | None
    app: ASGIApp
    mounted_app: Any  # The application without middleware; whether it has routes is its own affair.
    param_convertors: dict[str, Convertor[Any]]
    place_format: str  # Of what stands before the paths inside: the path of a mount, the name of a host.

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the application, if it has any."""
        found: list[BaseRoute] = getattr(self.mounted_app, "routes", None) or []
        return found

    def handle(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Hand over to the application."""
        return self.app(scope, receive, send)

    def place_behind(self, dependencies: Sequence[Depends]) -> None:
        """Run these dependencies before those of every route inside. Raises InvalidSignature."""
        router = getattr(self.mounted_app, "router", self.mounted_app)
        if not isinstance(router, Router):
            raise InvalidSignature(self.mounted_app, UNGUARDED)
        router.place_behind(dependencies)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The application itself with `path`, by its own name; a route inside by `name:route`, or by its name alone."""
        place, remaining = replace_params(self.place_format, self.param_convertors, path_params)
        if name == self.name and remaining.keys() == {"path"}:
            inside = URLPath("/" + quote(str(remaining["path"]).lstrip("/"), safe=UNQUOTED))
        else:
            inside = self._find_inside(name, remaining)
        return self._address(place, inside)

    def _address(self, place: str, inside: URLPath) -> URLPath:
        return URLPath(path=place + inside, protocol=inside.protocol)

    def _find_inside(self, name: str, path_params: Mapping[str, Any]) -> URLPath:
        """Raises NoMatchFound."""
        prefix = "" if self.name is None else f"{self.name}:"
        if not name.startswith(prefix):
            raise NoMatchFound(name, path_params)
        router = getattr(self.mounted_app, "router", self.mounted_app)
        # A router has an index of names; of another application only the routes are known.
        return first_url_path([router] if isinstance(router, Router) else self.routes, name[len(prefix) :], path_params)


class Mount(_ApplicationRoute):
    """An application, or a list of routes, below a path."""

    def __init__(
        self,
        path: str,
        app: ASGIApp | None = None,
        routes: Sequence[BaseRoute] | None = None,
        name: str | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
        dependencies: Sequence[Depends] = (),
    ) -> None:
        if path:
            _require_leading_slash(path)
        if app is None and routes is None:
            raise AssertionError("Either 'app=...', or 'routes=' must be specified")
        self.path = path.rstrip("/")
        self.name = name
        self.mounted_app = Router(routes) if app is None else app
        self.app = limit_body_size(wrap_in_middleware(self.mounted_app, middleware), max_body_size)
        self.path_regex, self.path_format, self.param_convertors = compile_path(self.path + "/{path:path}")
        self.place_format = self.path_format.removesuffix("/{path}")
        if dependencies:
            self.place_behind(dependencies)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Everything below the path, http and websocket alike; what matched moves into the root path."""
        if scope["type"] not in ("http", "websocket"):
            return NONE, {}
        path = get_route_path(scope)
        params = match_path(self.path_regex, self.param_convertors, path)
        if params is None:
            return NONE, {}
        root_path = scope.get("root_path", "")
        matched = path[: len(path) - len(params.pop("path")) - 1]
        return FULL, {
            "path_params": {**scope.get("path_params", {}), **params},
            "app_root_path": scope.get("app_root_path", root_path),
            "root_path": root_path + matched,
            "endpoint": self.app,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mount) and (self.path, self.app, self.name) == (other.path, other.app, other.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name or ''!r}, app={self.app!r})"


class Host(_ApplicationRoute):
    """An application for a host name, which may have parameters: "{tenant}.example.org"."""

    def __init__(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        if host.startswith("/"):
            raise AssertionError("Host must not start with '/'")
        self.host = host
        self.app = self.mounted_app = app
        self.name = name
        # The port is for addresses that are built; the header is compared without it.
        pattern, _, self.param_convertors = compile_path(re.sub(r":[0-9]+$", "", host))
        self.host_regex = re.compile(pattern.pattern, re.IGNORECASE)
        self.place_format = self.host_format = compile_path(host)[1]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """By the Host header; several of them, or one that is not a host (RFC 3986 section 3.2.2), never match."""
        if scope["type"] not in ("http", "websocket"):
            return NONE, {}
        host = requested_host(scope)
        params = match_path(self.host_regex, self.param_convertors, host) if host else None
        if params is None:
            return NONE, {}
        return FULL, {"path_params": {**scope.get("path_params", {}), **params}, "endpoint": self.app}

    def _address(self, place: str, inside: URLPath) -> URLPath:
        return URLPath(path=str(inside), protocol=inside.protocol, host=place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Host) and (self.host, self.app) == (other.host, other.app)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self.host!r}, name={self.name or ''!r}, app={self.app!r})"


class Router:
    """Routes in order: the first that matches answers.

    `mounted_lifespans` starts and stops the applications mounted in the routes together with this one;
    `automatic_options` answers OPTIONS with the methods of the path (RFC 9110 section 9.3.7) where no route does.
    `dependencies` are run before those of every route, whenever it was added (see core.params).
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        # The application's class and its state are its own business.
        lifespan: Lifespan[Any] | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
        mounted_lifespans: bool = False,
        automatic_options: bool = False,
        dependencies: Sequence[Depends] = (),
    ) -> None:
        self._routes = RouteList(routes or ())
        self._routes.place_behind(dependencies)
        self.redirect_slashes = redirect_slashes
        self.default = self.not_found if default is None else default
        self.lifespan_context = as_lifespan_context(lifespan)
        self.mounted_lifespans = mounted_lifespans
        self.automatic_options = automatic_options
        self.middleware_stack = limit_body_size(wrap_in_middleware(self.app, middleware), max_body_size)

    @property
    def routes(self) -> list[BaseRoute]:
        """The live list: changing it changes the router."""
        return self._routes

    @routes.setter
    def routes(self, routes: Sequence[BaseRoute]) -> None:
        self._routes[:] = routes

    def place_behind(self, dependencies: Sequence[Depends]) -> None:
        """Run these dependencies before those of every route, those added later included. Raises InvalidSignature."""
        self._routes.place_behind(dependencies)

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What answers when no route matches, unless `default` was given."""
        await answer_not_found(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The address of the first route of that name that takes these parameters. Raises NoMatchFound."""
        return first_url_path(self._index().named(name), name, path_params)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start, wait for the end, stop."""
        context = self.lifespan_context
        if self.mounted_lifespans:
            context = compose_lifespans(context, self._routes)
        await run_lifespan(context, scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.middleware_stack(scope, receive, send)

    def app(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Route the connection; inside the router's middleware."""
        # No coroutine of its own: the caller awaits the one of whatever answers, which saves a frame.
        kind = scope["type"]
        if kind == "lifespan":
            return self.lifespan(scope, receive, send)
        if "router" not in scope:
            scope["router"] = self
        path = get_route_path(scope) if scope.get("root_path") else scope["path"]
        index = self._routes.router_index or self._index()
        route = index.direct.get(path)
        if route is not None and kind == "http" and scope["method"] in route.methods:
            scope["endpoint"] = route.endpoint
            if "path_params" not in scope:
                scope["path_params"] = {}
            answer = route.app
        else:
            route, answer, allowed = index.find(scope, path)
            if route is None:
                return self._answer_without_route(scope, receive, send, path)
            if allowed is not None and type(route).handle is _EndpointRoute.handle:
                answer = functools.partial(self._refuse_method, allowed=allowed)
        scope["route"] = route
        if ROUTE_OBSERVER_KEY in scope:
            scope[ROUTE_OBSERVER_KEY](route)
        return answer(scope, receive, send)  # type: ignore[no-any-return]  # A route is of any class.

    def _index(self) -> RouterIndex:
        index = self._routes.router_index
        if index is None:
            index = self._routes.router_index = RouterIndex(self._routes, (Route, WebSocketRoute, Mount))
        return index

    async def _refuse_method(self, scope: Scope, receive: Receive, send: Send, allowed: Collection[str]) -> None:
        if self.automatic_options and scope["method"] == "OPTIONS":
            headers = {"Allow": ", ".join(ordered_methods({*allowed, "OPTIONS"}))}
            await Response(status_code=204, headers=headers)(scope, receive, send)
        else:
            await answer_method_not_allowed(scope, receive, send, allowed)

    async def _answer_without_route(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        if scope["type"] == "http" and self.redirect_slashes and path != "/":
            other_path = scope["path"].rstrip("/") if path.endswith("/") else scope["path"] + "/"
            other_scope = {**scope, "path": other_path}
            if self._index().find(other_scope, get_route_path(other_scope))[0] is not None:
                location = relative_location(other_path, scope.get("query_string", b""))
                await RedirectResponse(location)(scope, receive, send)
                return
        await self.default(scope, receive, send)

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Add a Mount."""
        self.routes.append(Mount(path, app=app, name=name))

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Add a Host."""
        self.routes.append(Host(host, app=app, name=name))

    def add_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add a Route."""
        self.routes.append(Route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema))

    def add_websocket_route(self, path: str, endpoint: Callable[..., Any], name: str | None = None) -> None:
        """Add a WebSocketRoute."""
        self.routes.append(WebSocketRoute(path, endpoint, name=name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Router) and self._routes == other._routes


def _require_leading_slash(path: str) -> None:
    if not path.startswith("/"):
        raise AssertionError("Routed paths must start with '/'")
