"""Reading a function's signature, once, into parameters whose annotations are resolved."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from core._typed.markers import Depends, Input

EMPTY: Any = inspect.Parameter.empty


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


@dataclass(frozen=True)
class Signature:
    """A function's parameters in order, and its return annotation with its metadata."""

    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    returns: Any


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
    if declared.kind in (declared.VAR_POSITIONAL, declared.VAR_KEYWORD):
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
    if get_origin(annotation) is not Annotated:
        return annotation, ()
    bare, *metadata = get_args(annotation)
    return bare, tuple(metadata)


def _find_marker(function: object, name: str, metadata: tuple[Any, ...]) -> Input | Depends | None:
    for item in metadata:
        if isinstance(item, type) and issubclass(item, Input | Depends):
            raise InvalidSignature(function, f"parameter {name!r}: write {item.__name__}(), with parentheses")
    markers = [item for item in metadata if isinstance(item, Input | Depends)]
    if len(markers) > 1:
        raise InvalidSignature(function, f"parameter {name!r} comes from two places: {markers}")
    return markers[0] if markers else None
