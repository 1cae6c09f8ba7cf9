"""The application: middleware around a router, with state and exception handlers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ParamSpec, Self

from core._exception_handler import HANDLERS_SCOPE_KEY
from core._lifespan import as_lifespan_context
from core._tracked_send import TrackedSend
from core._typed.markers import Depends
from core.datastructures import State, URLPath
from core.middleware import Middleware, _MiddlewareFactory, wrap_in_middleware
from core.middleware.body_limit import limit_body_size
from core.middleware.errors import ErrorLayer, InnerErrorMiddleware, ServerErrorMiddleware, raise_outside
from core.middleware.exceptions import ExceptionMiddleware
from core.routing import BaseRoute, Router
from core.types import ASGIApp, ExceptionHandler, Lifespan, Receive, Scope, Send

P = ParamSpec("P")


class Starlette:
    """An ASGI application.

    A connection passes ServerErrorMiddleware, the body limit (bytes), `middleware` in the order given, and
    ExceptionMiddleware before it is routed. Handlers for 500 or Exception answer what nobody else handled.
    """

    def __init__(
        self,
        debug: bool = False,
        routes: Sequence[BaseRoute] | None = None,
        middleware: Sequence[Middleware] | None = None,
        # Handlers are written for the exceptions they are registered for: hence Any as the key.
        exception_handlers: Mapping[Any, ExceptionHandler] | None = None,
        lifespan: Lifespan[Self] | None = None,
        *,
        max_body_size: int | None = None,
        error_responses_inside_middleware: bool = False,
        mounted_lifespans: bool = False,
        dependencies: Sequence[Depends] = (),
    ) -> None:
        """Beyond Starlette: `error_responses_inside_middleware` sends the 500 of an unhandled exception through the
        middleware, so that it gets their headers; `mounted_lifespans` runs the lifespans of mounted applications;
        `dependencies` run before those of every route (see core.params).
        """
        self.debug = debug
        self.state = State()
        self.router = Router(
            routes,
            lifespan=as_lifespan_context(lifespan),
            mounted_lifespans=mounted_lifespans,
            dependencies=dependencies,
        )
        self.max_body_size = max_body_size
        self.error_responses_inside_middleware = error_responses_inside_middleware
        self.exception_handlers: dict[Any, ExceptionHandler] = dict(exception_handlers or {})
        self.user_middleware = list(middleware or ())
        self.middleware_stack: ASGIApp | None = None
        # Any callable can be replaced by any other in a test (see core.params).
        self.dependency_overrides: dict[Callable[..., Any], Callable[..., Any]] = {}

    def build_middleware_stack(self) -> ASGIApp:
        """The router inside all middleware, built once, when the first connection arrives."""
        handlers = dict(self.exception_handlers)
        last_resort = [handlers.pop(key) for key in (500, Exception) if key in handlers]
        error_handler = last_resort[-1] if last_resort else None
        router = self.router
        # A router's __call__ does nothing but this, unless a subclass says otherwise.
        inmost = router.middleware_stack if type(router).__call__ is Router.__call__ else router
        app: ASGIApp = ExceptionMiddleware(inmost, handlers=handlers, debug=self.debug)
        if self.error_responses_inside_middleware:
            app = InnerErrorMiddleware(app, handler=error_handler, debug=self.debug)
        app = limit_body_size(wrap_in_middleware(app, self.user_middleware), self.max_body_size)
        if self.error_responses_inside_middleware:
            app = raise_outside(app)
        if isinstance(app, ExceptionMiddleware):
            return ErrorLayer(app, handler=error_handler, debug=self.debug)
        return ServerErrorMiddleware(app, handler=error_handler, debug=self.debug)

    @property
    def routes(self) -> list[BaseRoute]:
        """The router's live list of routes."""
        return self.router.routes

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The address of the route of that name. Raises NoMatchFound."""
        return self.router.url_path_for(name, **path_params)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        stack = self.middleware_stack
        if stack is None:
            stack = self.middleware_stack = self.build_middleware_stack()
        if type(stack) is not ErrorLayer or scope["type"] != "http":
            await stack(scope, receive, send)
            return
        # What the two layers do when they are called, without the frames that calling them takes.
        scope[HANDLERS_SCOPE_KEY] = stack.app.handlers
        tracked = TrackedSend(send)
        try:
            await stack.inmost(scope, receive, tracked)
        except Exception as error:
            await stack.settle(error, scope, receive, tracked)

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Add an application below a path."""
        self.router.mount(path, app=app, name=name)

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Add an application for a host name."""
        self.router.host(host, app=app, name=name)

    def add_middleware(self, middleware_class: _MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Put a middleware around all that are there. Raises RuntimeError once the application has started."""
        if self.middleware_stack is not None:
            raise RuntimeError("Cannot add middleware after an application has started")
        self.user_middleware.insert(0, Middleware(middleware_class, *args, **kwargs))

    def add_exception_handler(self, exc_class_or_status_code: int | type[Exception], handler: ExceptionHandler) -> None:
        """Answer a status code of HTTPException, or a class of exceptions, with this handler."""
        self.exception_handlers[exc_class_or_status_code] = handler

    def add_route(
        self,
        path: str,
        route: Callable[..., Any],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add an endpoint at a path."""
        self.router.add_route(path, route, methods=methods, name=name, include_in_schema=include_in_schema)
