"""OpenAPI schemas from the docstrings of endpoints, written as YAML after a line of three dashes.

The typed handlers of core.params describe themselves; this is for plain ones. It needs PyYAML.
"""

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from core._paths import PARAMETER
from core._router_index import VERBS, ordered_methods
from core.requests import Request
from core.responses import Response
from core.routing import BaseRoute, Host, Mount, Route


class OpenAPIResponse(Response):
    """A schema as YAML."""

    media_type = "application/vnd.oai.openapi"

    def render(self, content: Any) -> bytes:
        """The YAML of a mapping. Raises TypeError for anything else."""
        if not isinstance(content, dict):
            raise TypeError("The schema passed to OpenAPIResponse should be a dictionary.")
        import yaml

        text: str = yaml.dump(content, default_flow_style=False)
        return text.encode("utf-8")


class EndpointInfo(NamedTuple):
    """One operation: path with bare placeholders, method in lower case, and the function that has the docstring."""

    path: str
    http_method: str
    func: Callable[..., Any]


class BaseSchemaGenerator:
    """Finds the endpoints of routes and reads their docstrings; subclasses make a schema of them."""

    def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
        """The schema of the routes."""
        raise NotImplementedError

    def get_endpoints(self, routes: list[BaseRoute]) -> list[EndpointInfo]:
        """All operations of the routes, also of mounted ones, that are meant to be in the schema."""
        found = [(PARAMETER.sub(r"{\1}", path), functions) for path, _, functions in documented(routes)]
        return [EndpointInfo(path, *each) for path, functions in found for each in functions.items()]

    def parse_docstring(self, func_or_method: Callable[..., Any]) -> dict[str, Any]:
        """What the YAML in the docstring says; empty if there is none."""
        import yaml

        _, marker, text = (inspect.getdoc(func_or_method) or "").rpartition("---")
        try:
            parsed = yaml.safe_load(text)
        except yaml.YAMLError:
            if marker:
                raise
            parsed = None
        # Prose parses as a string, or not at all.
        return parsed if isinstance(parsed, dict) else {}

    def OpenAPIResponse(self, request: Request) -> Response:  # noqa: N802
        """The schema of the application that the request is for."""
        return OpenAPIResponse(self.get_schema(request.app.routes))


class SchemaGenerator(BaseSchemaGenerator):
    """Adds the operations to a base schema, which holds at least `openapi` and `info`."""

    def __init__(self, base_schema: Mapping[str, Any]) -> None:
        self.base_schema = base_schema

    def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
        """The base schema with the paths. QUERY appears from OpenAPI 3.2 on, which is the first to know it."""
        schema = copy.deepcopy(dict(self.base_schema))
        paths = schema.setdefault("paths", {})
        knows_query = _version(schema.get("openapi", "")) >= (3, 2)
        for endpoint in self.get_endpoints(routes):
            parsed = self.parse_docstring(endpoint.func)
            if parsed and (knows_query or endpoint.http_method != "query"):
                paths.setdefault(endpoint.path, {})[endpoint.http_method] = parsed
        return schema


Functions = dict[str, Callable[..., Any]]


def documented(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, Route, Functions]]:
    """Every HTTP route that is meant to be in a schema, with its whole path and its functions by method in lower case."""
    for route in routes:
        if isinstance(route, Mount | Host):
            yield from documented(route.routes, prefix + getattr(route, "path", ""))
        elif isinstance(route, Route) and route.include_in_schema:
            yield prefix + route.path, route, functions_of(route)


def functions_of(route: Route) -> Functions:
    """What answers each method of a route: its function, or those of its class. HEAD is part of GET."""
    endpoint: Any = route.endpoint
    if inspect.isroutine(endpoint) or hasattr(endpoint, "func"):
        functions = dict.fromkeys(ordered_methods(route.methods or {"GET"}), endpoint)
    else:
        functions = {verb: getattr(endpoint, verb.lower()) for verb in VERBS if hasattr(endpoint, verb.lower())}
    return {verb.lower(): function for verb, function in functions.items() if verb != "HEAD"}


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
