"""Tells plain handlers, which take the connection and nothing else, from typed ones, which are compiled (see core.params)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from core._typed.markers import Depends, attached_dependencies
from core._typed.signature import unwrap_partials
from core.requests import HTTPConnection

CONNECTION_NAMES = ("Request", "WebSocket", "HTTPConnection")

UNGUARDED = (
    "what is no function or method does not run the dependencies of its route: put a middleware around it instead"
)


def is_function(endpoint: Any) -> bool:
    bare, _ = unwrap_partials(endpoint)
    return inspect.isfunction(bare) or inspect.ismethod(bare)


def as_plain(
    endpoint: Callable[..., Any], path: str, path_params: Container[str], dependencies: Sequence[Depends]
) -> Callable[[Any], Any]:
    """The function of the connection alone that answers: the endpoint, or what its signature declares compiled.

    Raises InvalidSignature.
    """
    if not dependencies and is_plain(endpoint, path_params):
        return endpoint
    # Imported here because it brings pydantic, which applications of plain handlers do without.
    from core.params import compile_endpoint

    return compile_endpoint(endpoint, path, dependencies)


def is_plain(handler: Callable[..., Any], path_params: Container[str] = (), *, event_values: int = 0) -> bool:
    """Whether calling it with the connection alone, and sending what it returns, is what its signature means.

    A method that handles a websocket's events is given as many values of the event after the connection.
    """
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return True  # Without a signature there is nothing that could have been declared.
    if attached_dependencies(handler) or _is_data(handler, signature.return_annotation):
        return False
    parameters = signature.parameters.values()
    _, given = unwrap_partials(handler)
    positional = [each for each in parameters if each.kind not in _VARIABLE and each.name not in given]
    if not positional:
        return any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters)
    first, *others = positional
    if any(_is_marked(other) for other in others) or any(_is_declared(other) for other in others[event_values:]):
        return False
    return first.kind is not inspect.Parameter.KEYWORD_ONLY and _is_connection(handler, first, path_params)


_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _is_declared(parameter: inspect.Parameter) -> bool:
    # A default without an annotation keeps what the function was made with, as in a loop: `lambda request, page=page: …`.
    return parameter.default is inspect.Parameter.empty or parameter.annotation is not inspect.Parameter.empty


def _is_marked(parameter: inspect.Parameter) -> bool:
    annotation = parameter.annotation
    return "Annotated" in annotation if isinstance(annotation, str) else hasattr(annotation, "__metadata__")


def _is_data(handler: Callable[..., Any], annotation: Any) -> bool:
    """Whether a return annotation declares what becomes JSON, rather than a response."""
    if isinstance(annotation, str):
        annotation = _evaluated(handler, annotation)
    if hasattr(annotation, "__metadata__"):
        return True
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_data(handler, member) for member in get_args(annotation))
    kind = get_origin(annotation) or annotation
    return isinstance(kind, type) and (
        issubclass(kind, dict | list) or any(hasattr(kind, mark) for mark in _RECORD_MARKS)
    )


_RECORD_MARKS = ("__dataclass_fields__", "__pydantic_fields__")


def _is_connection(handler: Callable[..., Any], parameter: inspect.Parameter, path_params: Container[str]) -> bool:
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        return parameter.name not in path_params
    if isinstance(annotation, str):
        annotation = _evaluated(handler, annotation)
    if isinstance(annotation, str):
        return annotation.partition("[")[0].rpartition(".")[2].endswith(CONNECTION_NAMES)
    annotation = get_origin(annotation) or annotation
    return annotation is Any or (isinstance(annotation, type) and issubclass(annotation, HTTPConnection))


def _evaluated(handler: Callable[..., Any], annotation: str) -> Any:
    """The annotation's value, or the text itself if a name in it is not (or not yet) known where it was written."""
    function, _ = unwrap_partials(inspect.unwrap(handler))
    function = getattr(function, "__func__", function)
    try:
        return eval(annotation, getattr(function, "__globals__", {}))  # noqa: S307 (the program's own text)
    except (NameError, AttributeError, TypeError, SyntaxError):
        return annotation
