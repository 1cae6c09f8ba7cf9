"""Tells plain handlers, which take the connection and nothing else, from typed ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container
from types import UnionType
from typing import Any, Union, get_args, get_origin

from core._typed.markers import attached_dependencies
from core.requests import HTTPConnection

CONNECTION_NAMES = ("Request", "WebSocket", "HTTPConnection")


def is_plain(handler: Callable[..., Any], path_params: Container[str] = ()) -> bool:
    """Whether calling it with the connection alone, and sending what it returns, is what its signature means."""
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return True  # Without a signature there is nothing that could have been declared.
    if attached_dependencies(handler) or _is_data(handler, signature.return_annotation):
        return False
    parameters = signature.parameters.values()
    positional = [parameter for parameter in parameters if parameter.kind not in _VARIABLE]
    if not positional:
        return any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters)
    first, *others = positional
    if any(other.default is inspect.Parameter.empty or _is_marked(other) for other in others):
        return False
    return first.kind is not inspect.Parameter.KEYWORD_ONLY and _is_connection(handler, first, path_params)


_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _is_marked(parameter: inspect.Parameter) -> bool:
    # A default alone is an ordinary option of the function; Annotated[..., marker] asks to be filled in.
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
    function = inspect.unwrap(handler)
    while hasattr(function, "func"):
        function = function.func
    function = getattr(function, "__func__", function)
    try:
        return eval(annotation, getattr(function, "__globals__", {}))  # noqa: S307 (the program's own text)
    except (NameError, AttributeError, TypeError, SyntaxError):
        return annotation
