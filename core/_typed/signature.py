"""Reading a function's signature, once, into parameters whose annotations are resolved."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from core._typed.markers import Depends, Input

EMPTY: Any = inspect.Parameter.empty
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


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
    try:
        source = inspect.unwrap(target if hasattr(target, "__name__") else type(target).__call__)
        return f"{name} ({_shorten(str(inspect.getsourcefile(source)))}:{inspect.getsourcelines(source)[1]})"
    except (OSError, TypeError):
        return name


def _shorten(path: str) -> str:
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def unwrap_partials(function: Any) -> tuple[Any, frozenset[str]]:
    """The function below any `functools.partial`s, with the names of the keywords they already gave."""
    bound: set[str] = set()
    while isinstance(function, functools.partial):
        bound.update(function.keywords)
        function = function.func
    return function, frozenset(bound)


def _type_hints(function: object, target: Any) -> dict[str, Any]:
    source = _annotated_function(target)
    try:
        return get_type_hints(source, localns=_closure(source), include_extras=True)
    except NameError as error:
        problem = (
            f"the annotation {error.name!r} cannot be resolved: import it at run time, not only for the type checker"
        )
        raise InvalidSignature(function, problem) from None
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
        if name in bound:
            continue
        if parameter.kind in VARIADIC:
            raise InvalidSignature(function, f"*{name} says nothing about what the handler needs: name each parameter")
        keyword_only = parameter.kind is inspect.Parameter.KEYWORD_ONLY
        yield _parameter(function, name, hints.get(name, parameter.annotation), parameter.default, keyword_only)


def _parameter(function: object, name: str, annotation: Any, default: Any, keyword_only: bool) -> Parameter:
    if isinstance(default, Input | Depends):
        kind = type(default).__name__
        raise InvalidSignature(function, f"parameter {name!r}: write `{name}: Annotated[..., {kind}()]`, not a default")
    annotation = _expand_alias(annotation)
    bare, metadata = split_annotation(annotation)
    marker = _find_marker(function, name, metadata)
    return Parameter(name, annotation, bare, marker, default, keyword_only)


def _expand_alias(annotation: Any) -> Any:
    """What a `type` alias stands for."""
    while type(annotation).__name__ == "TypeAliasType":
        annotation = annotation.__value__
    return annotation


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
