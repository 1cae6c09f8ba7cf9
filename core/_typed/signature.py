"""Reading a function's signature, once: is it plain, for the connection alone, or typed, with parameters to be resolved?"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from core._typed.markers import Depends, Input, attached_dependencies
from core.requests import HTTPConnection

EMPTY: Any = inspect.Parameter.empty
VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
CONNECTION_NAMES = ("Request", "WebSocket", "HTTPConnection")
# Of dataclasses and pydantic's models.
RECORD_MARKS = ("__dataclass_fields__", "__pydantic_fields__")
UNGUARDED = (
    "what is no function or method does not run the dependencies of its route: put a middleware around it instead"
)


class InvalidSignature(TypeError):
    """A handler or dependency whose signature cannot be served. Raised when the route is built; names the file and line."""

    def __init__(self, function: object, problem: str) -> None:
        super().__init__(f"{describe(function)}: {problem}")


@dataclass(frozen=True)
class Parameter:
    """One parameter: its bare type, the marker found in its annotation, and the rest of the annotation's metadata."""

    name: str
    annotation: Any
    bare: Any
    marker: Input | Depends | None
    default: Any
    is_keyword_only: bool

    @property
    def is_required(self) -> bool:
        return self.default is EMPTY

    @property
    def is_annotated(self) -> bool:
        return self.annotation is not EMPTY

    @property
    def is_connection(self) -> bool:
        return is_connection(self.bare)


@dataclass(frozen=True)
class Signature:
    """A function's parameters in order, and its return annotation with its metadata."""

    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    returns: Any


def is_function(endpoint: Any) -> bool:
    bare, _ = unwrap_partials(endpoint)
    return inspect.isfunction(bare) or inspect.ismethod(bare)


def is_plain(handler: Callable[..., Any], path_params: Container[str] = (), *, event_values: int = 0) -> bool:
    """Whether calling it with the connection alone, and sending what it returns, is what its signature means.

    A method that handles a websocket's events is given as many values of the event after the connection.
    """
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return True  # Without a signature there is nothing that could have been declared.
    if attached_dependencies(handler) or _is_data(_evaluated(handler, signature.return_annotation)):
        return False
    parameters = signature.parameters.values()
    _, given = unwrap_partials(handler)
    positional = [each for each in parameters if each.kind not in VARIABLE and each.name not in given]
    if not positional:
        return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
    first, *others = [each.replace(annotation=_evaluated(handler, each.annotation)) for each in positional]
    if any(_is_marked(other.annotation) for other in others) or any(map(_is_declared, others[event_values:])):
        return False
    is_path_value = first.annotation is EMPTY and first.name in path_params
    return first.kind is not first.KEYWORD_ONLY and not is_path_value and _is_plain_connection(first.annotation)


def compile_typed(
    handler: Callable[..., Any], path: str, dependencies: Sequence[Depends], given: Sequence[str] = ()
) -> Callable[..., Awaitable[Any]]:
    """The function of the connection alone that does what the handler's signature says. Raises InvalidSignature."""
    # Imported here because it brings pydantic, which applications of plain handlers do without.
    from core.params import compile_endpoint

    return compile_endpoint(handler, path, dependencies, given)


def _is_declared(parameter: inspect.Parameter) -> bool:
    # A default without an annotation keeps what the function was made with, as in a loop: `lambda request, page=page: …`.
    return parameter.default is EMPTY or parameter.annotation is not EMPTY


def _is_marked(annotation: Any) -> bool:
    return "Annotated" in annotation if isinstance(annotation, str) else hasattr(annotation, "__metadata__")


def _is_data(annotation: Any) -> bool:
    """Whether a return annotation declares what becomes JSON, rather than a response."""
    if hasattr(annotation, "__metadata__"):
        return True
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_data(member) for member in get_args(annotation))
    kind = get_origin(annotation) or annotation
    is_record = any(hasattr(kind, mark) for mark in RECORD_MARKS)
    return isinstance(kind, type) and (is_record or issubclass(kind, dict | list))


def _is_plain_connection(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.partition("[")[0].rpartition(".")[2].endswith(CONNECTION_NAMES)
    return annotation in (EMPTY, Any) or is_connection(annotation)


def is_connection(annotation: Any) -> bool:
    """Whether an annotation means the connection: `Request`, `WebSocket`, or what both are."""
    kind = get_origin(annotation) or annotation
    return isinstance(kind, type) and issubclass(kind, HTTPConnection)


def _evaluated(handler: Callable[..., Any], annotation: Any) -> Any:
    """The value of an annotation, or its text if a name in it is not (or not yet) known where it was written."""
    function = _annotated_function(unwrap_partials(handler)[0])
    try:
        return eval(annotation, getattr(function, "__globals__", {})) if isinstance(annotation, str) else annotation  # noqa: S307 (the program's own text)
    except (NameError, AttributeError, TypeError, SyntaxError):
        return annotation


def read_signature(function: Callable[..., Any]) -> Signature:
    """The signature of a function, method, class, partial or callable object. Raises InvalidSignature."""
    target, bound = unwrap_partials(function)
    hints = _type_hints(function, target)
    returns = EMPTY if inspect.isclass(target) else hints.get("return", EMPTY)
    return Signature(function, tuple(_parameters(function, hints, bound)), returns)


def describe(function: object) -> str:
    """The function's name with its file and line, for messages."""
    target, _ = unwrap_partials(function)
    name = f"{getattr(target, '__module__', '')}.{getattr(target, '__qualname__', repr(target))}"
    code = getattr(_annotated_function(target), "__code__", None)
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"


def unwrap_partials(function: Any) -> tuple[Any, frozenset[str]]:
    """The function below any `functools.partial`s, with the names of the keywords they already gave."""
    bound: frozenset[str] = frozenset()
    while isinstance(function, functools.partial):
        function, bound = function.func, bound | function.keywords.keys()
    return function, bound


def _type_hints(function: object, target: Any) -> dict[str, Any]:
    source = _annotated_function(target)
    try:
        return get_type_hints(source, localns=_closure(source), include_extras=True)
    except NameError as error:
        advice = "import it at run time, not only for the type checker"
        raise InvalidSignature(function, f"the annotation {error.name!r} cannot be resolved: {advice}") from None
    except TypeError as error:
        raise InvalidSignature(function, f"its annotations cannot be resolved: {error}") from None


def _annotated_function(target: Any) -> Any:
    if inspect.isclass(target):
        return target.__init__ if target.__init__ is not object.__init__ else target.__new__
    if not inspect.isroutine(target):
        return type(target).__call__
    return inspect.unwrap(target)


def _closure(function: Any) -> dict[str, Any]:
    """Names that string annotations of a nested function may mean. Cells that are not filled yet are left out."""
    function = getattr(function, "__func__", function)
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    found: dict[str, Any] = {}
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=True):
        with suppress(ValueError):  # An empty cell raises when it is read.
            found[name] = cell.cell_contents
    return found


def _parameters(function: Callable[..., Any], hints: dict[str, Any], bound: frozenset[str]) -> Iterator[Parameter]:
    try:
        declared = inspect.signature(function).parameters
    except ValueError as error:
        raise InvalidSignature(function, f"it has no readable signature ({error})") from None
    for name, parameter in declared.items():
        if name not in bound:
            yield _parameter(function, parameter, hints.get(name, parameter.annotation))


def _parameter(function: object, declared: inspect.Parameter, annotation: Any) -> Parameter:
    name, default = declared.name, declared.default
    if declared.kind in VARIABLE:
        raise InvalidSignature(function, f"*{name} says nothing about what the handler needs: name each parameter")
    if isinstance(default, Input | Depends):
        kind = type(default).__name__
        raise InvalidSignature(function, f"parameter {name!r}: write `{name}: Annotated[..., {kind}()]`, not a default")
    while type(annotation).__name__ == "TypeAliasType":
        annotation = annotation.__value__
    bare, metadata = split_annotation(annotation)
    marker = _find_marker(function, name, metadata)
    return Parameter(name, annotation, bare, marker, default, declared.kind is declared.KEYWORD_ONLY)


def split_annotation(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type and the metadata of `Annotated[type, *metadata]`."""
    is_annotated = get_origin(annotation) is Annotated
    return (annotation.__origin__, annotation.__metadata__) if is_annotated else (annotation, ())


def _find_marker(function: object, name: str, metadata: tuple[Any, ...]) -> Input | Depends | None:
    for item in metadata:
        if isinstance(item, type) and issubclass(item, Input | Depends):
            raise InvalidSignature(function, f"parameter {name!r}: write {item.__name__}(), with parentheses")
    markers = [item for item in metadata if isinstance(item, Input | Depends)]
    if len(markers) > 1:
        raise InvalidSignature(function, f"parameter {name!r} comes from two places: {markers}")
    return markers[0] if markers else None
