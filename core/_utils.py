"""Small pieces that routing, responses and libraries written for Starlette share under these names."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeGuard, TypeVar

import anyio
import anyio.abc

from core.types import Scope

Result = TypeVar("Result")
Changing = TypeVar("Changing")
AsyncCallable = Callable[..., Awaitable[Result]]


def get_route_path(scope: Scope) -> str:
    """The part of the path that routes are matched against: without the root path, if that ends at a segment."""
    path: str = scope["path"]
    root_path: str | None = scope.get("root_path")
    if not root_path or not path.startswith(root_path):
        return path
    rest = path[len(root_path) :]
    return rest if not rest or rest[0] == "/" else path


def is_among(path: str, paths: Iterable[str]) -> bool:
    """Whether a path is one of several paths, or begins with one of them that ends in "/"."""
    return any(path == own or (own.endswith("/") and path.startswith(own)) for own in paths)


def iscoroutinefunction(candidate: object) -> bool:
    """Like that of `inspect`, which before Python 3.12 does not know functions that are only marked as coroutine functions.

    Only asyncio can have marked them. Importing it for the question would double the time that importing core takes.
    """
    library: Any = sys.modules.get("asyncio", inspect) if sys.version_info < (3, 12) else inspect
    return bool(library.iscoroutinefunction(candidate))


def is_async_callable(candidate: Any) -> TypeGuard[AsyncCallable[Any]]:
    """Whether calling it gives an awaitable: coroutine functions, partials of them, objects with an async __call__."""
    while isinstance(candidate, functools.partial):
        candidate = candidate.func
    if iscoroutinefunction(candidate):
        return True
    # Of its class: calling a class makes an object, whatever calling that does.
    return iscoroutinefunction(getattr(type(candidate), "__call__", None))  # noqa: B004


def notifying(base: type, *names: str) -> Callable[[type[Changing]], type[Changing]]:
    """A class decorator: these methods of the base class, called on the class, call its `changed` afterwards."""

    def decorate(cls: type[Changing]) -> type[Changing]:
        for name in names:
            setattr(cls, name, _notifying(getattr(base, name)))
        return cls

    return decorate


def _notifying(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        self.changed()
        return result

    return change


@asynccontextmanager
async def create_collapsing_task_group() -> AsyncIterator[anyio.abc.TaskGroup]:
    """A task group whose only exception comes out bare, with its own cause and context."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as error:
        sole = _sole_exception(error)
        context = sole.__context__
        try:
            raise sole
        finally:
            # Raising here would name the group as the context.
            sole.__context__ = context


async def cancel_after(work: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    """Do the work; its end is that of all that is done beside it."""
    await work()
    scope.cancel()


def _sole_exception(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
