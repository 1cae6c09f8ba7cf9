"""Blocking work beside the event loop: AnyIO's worker threads, on asyncio and on Trio.

Every call takes a token of AnyIO's default limiter (40 at first). Change the number with
`anyio.to_thread.current_default_thread_limiter().total_tokens = n`, inside the running event loop.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, Generic, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from core._utils import cancel_after, is_async_callable
from core.exceptions import StarletteDeprecationWarning

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_threadpool(func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a blocking function in a worker thread. It sees the caller's context variables; its changes stay there."""
    call = functools.partial(func, *args, **kwargs) if args or kwargs else func
    return await anyio.to_thread.run_sync(call)


async def call_function(func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> Any:
    """Await a coroutine function, or call a blocking one in a worker thread. The result is of any type, as the function."""
    if is_async_callable(func):
        return await func(*args, **kwargs)
    return await run_in_threadpool(func, *args, **kwargs)


async def iterate_in_threadpool(iterable: Iterable[T]) -> AsyncIterator[T]:
    """The items of a blocking iterable, each computed in a worker thread."""
    iterator = await anyio.to_thread.run_sync(iter, iterable)
    while True:
        # StopIteration cannot travel out of a coroutine (PEP 479), so the end is a value.
        item = await anyio.to_thread.run_sync(next, iterator, END)
        if item is END:
            return
        yield item


END: Any = object()


class closing(Generic[T]):  # noqa: N801 - named and used like contextlib's
    """Closes the stream at the end if it is a generator. One left half-read would be closed by the garbage collector."""

    def __init__(self, stream: AsyncIterable[T]) -> None:
        self.stream = stream

    async def __aenter__(self) -> AsyncIterable[T]:
        return self.stream

    async def __aexit__(self, *exception: object) -> None:
        if hasattr(self.stream, "aclose"):
            await self.stream.aclose()


async def run_until_first_complete(*args: tuple[Callable[..., Coroutine[Any, Any, Any]], dict[str, Any]]) -> None:
    """Run (function, keyword arguments) pairs side by side; the first to finish cancels the others. Deprecated."""
    advice = "run_until_first_complete is deprecated and will be removed in a future version."
    warnings.warn(advice, StarletteDeprecationWarning, stacklevel=2)
    async with anyio.create_task_group() as group:
        for func, kwargs in args:
            group.start_soon(cancel_after, functools.partial(func, **kwargs), group.cancel_scope)
