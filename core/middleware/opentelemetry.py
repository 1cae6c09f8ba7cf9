"""A span and the duration of every request, as the semantic conventions of OpenTelemetry for HTTP servers name them.

Experimental. It needs the package opentelemetry-api.
See https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and .../http-metrics/.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

from core._router_index import ROUTE_OBSERVER_KEY, VERBS
from core.datastructures import URL, Headers
from core.routing import BaseRoute, Mount, Route
from core.types import ASGIApp, Message, Receive, Scope, Send

KNOWN_METHODS = frozenset({*VERBS, "CONNECT", "TRACE"})
DURATION_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

Attributes = dict[str, Any]


class OpenTelemetryMiddleware:
    """Records one server span a request, also where it is nested, and how long requests take, in seconds.

    `excluded_urls` are regular expressions, as a sequence or as text with commas between them; requests whose URL
    one of them is found in are not recorded. Providers that are not given are looked up when the middleware is made.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        excluded_urls: str | Sequence[str] = (),
        # The library is optional and imported here: hence Any for its classes.
        tracer_provider: Any = None,
        meter_provider: Any = None,
    ) -> None:
        self.app = app
        patterns = excluded_urls.split(",") if isinstance(excluded_urls, str) else excluded_urls
        self.excluded_urls = [re.compile(pattern.strip()) for pattern in patterns if pattern.strip()]
        self._trace = import_module("opentelemetry.trace")
        self._propagate = import_module("opentelemetry.propagate")
        self._tracers = tracer_provider or self._trace.get_tracer_provider()
        self._meters = meter_provider or import_module("opentelemetry.metrics").get_meter_provider()
        self.is_enabled = not isinstance(self._tracers, self._trace.NoOpTracerProvider)

    @cached_property
    def _tracer(self) -> Any:
        # Made at the first request: until then the program may still set up what the global provider stands for.
        return self._tracers.get_tracer("core")

    @cached_property
    def _duration(self) -> Any:
        return self._meters.get_meter("core").create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDARIES,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.is_enabled or ROUTE_OBSERVER_KEY in scope:
            return await self.app(scope, receive, send)
        exchange = Exchange(scope, send)
        # Also keeps the same middleware further inside from recording what is excluded.
        scope[ROUTE_OBSERVER_KEY] = exchange.observe_route
        try:
            if self._is_excluded(scope):
                return await self.app(scope, receive, send)
            return await self._record(exchange, receive)
        finally:
            del scope[ROUTE_OBSERVER_KEY]

    async def _record(self, exchange: Exchange, receive: Receive) -> None:
        began_at = time.perf_counter()
        headers = Headers(raw=exchange.scope["headers"])
        context = self._propagate.extract({name: ",".join(headers.getlist(name)) for name in headers})
        asked = _known(_request_attributes(exchange.scope))
        details = _known(_span_attributes(exchange.scope, headers))
        options: Any = {"context": context, "kind": self._trace.SpanKind.SERVER, "attributes": asked | details}
        with self._tracer.start_as_current_span(exchange.span_name(), **options) as span:
            try:
                await self.app(exchange.scope, receive, exchange.send)
            except Exception as error:
                exchange.error_type = type(error).__qualname__
                raise
            finally:
                outcome = _known(exchange.outcome())
                span.update_name(exchange.span_name())
                span.set_attributes(outcome)
                if "error.type" in outcome:
                    span.set_status(self._trace.StatusCode.ERROR)
                self._duration.record(time.perf_counter() - began_at, asked | outcome)

    def _is_excluded(self, scope: Scope) -> bool:
        url = str(URL(scope=scope)) if self.excluded_urls else ""
        return any(pattern.search(url) for pattern in self.excluded_urls)


@dataclass(eq=False)
class Exchange:
    """What becomes known of a request while it is answered."""

    scope: Scope
    outer_send: Send
    route: str = ""
    status_code: int | None = None
    error_type: str | None = None

    def observe_route(self, route: BaseRoute) -> None:
        """Called by each router that finds a route, from the outermost inwards."""
        if isinstance(route, Mount | Route):
            self.route += route.path

    async def send(self, message: Message) -> None:
        """Pass on, remembering the status."""
        if message["type"] == "http.response.start":
            self.status_code = message["status"]
        await self.outer_send(message)

    def span_name(self) -> str:
        """The method, and the route as soon as one is found."""
        name = _method(self.scope).replace("_OTHER", "HTTP")
        return f"{name} {self.route}" if self.route else name

    def outcome(self) -> Attributes:
        """The attributes that are known at the end."""
        # The server answers what nobody handled.
        status_code = self.status_code or (500 if self.error_type else None)
        error_type = self.error_type or (str(status_code) if status_code and status_code >= 500 else None)
        return {"http.route": self.route or None, "http.response.status_code": status_code, "error.type": error_type}


def _method(scope: Scope) -> str:
    method: str = scope["method"].upper()
    return method if method in KNOWN_METHODS else "_OTHER"


def _request_attributes(scope: Scope) -> Attributes:
    """Those of spans and metrics alike: few values each."""
    return {
        "http.request.method": _method(scope),
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version"),
    }


def _span_attributes(scope: Scope, headers: Headers) -> Attributes:
    """Those of spans only."""
    server, client = scope.get("server") or (None, None), scope.get("client") or (None, None)
    return {
        "url.path": scope["path"],
        "url.query": scope.get("query_string", b"").decode("latin-1") or None,
        "http.request.method_original": scope["method"] if _method(scope) != scope["method"] else None,
        "server.address": server[0],
        "server.port": server[1],
        "client.address": client[0],
        "network.peer.address": client[0],
        "network.peer.port": client[1],
        "user_agent.original": headers.get("user-agent"),
    }


def _known(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}
