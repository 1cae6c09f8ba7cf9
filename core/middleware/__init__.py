"""Middleware: ASGI applications around ASGI applications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ParamSpec, Protocol

from core.types import ASGIApp

P = ParamSpec("P")


class _MiddlewareFactory(Protocol[P]):
    def __call__(self, app: ASGIApp, /, *args: P.args, **kwargs: P.kwargs) -> ASGIApp: ...  # pragma: no cover


class Middleware:
    """A middleware class, or any callable that takes the application first, with its further arguments."""

    def __init__(self, cls: _MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs) -> None:
        self.cls = cls
        self.args = args
        self.kwargs = kwargs

    def __iter__(self) -> Iterator[Any]:
        return iter((self.cls, self.args, self.kwargs))

    def __repr__(self) -> str:
        name = getattr(self.cls, "__name__", "")
        arguments = [repr(value) for value in self.args] + [f"{key}={value!r}" for key, value in self.kwargs.items()]
        return f"{type(self).__name__}({', '.join([name, *arguments] if name else arguments)})"


def wrap_in_middleware(app: ASGIApp, middleware: Sequence[Middleware] | None) -> ASGIApp:
    """The application inside the given middleware, the first of which is the outermost."""
    for cls, args, kwargs in reversed(middleware or ()):
        app = cls(app, *args, **kwargs)
    return app
