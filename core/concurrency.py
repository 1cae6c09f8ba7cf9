"""Blocking work beside the event loop: AnyIO's worker threads, on asyncio and on Trio.

Every call takes a token of AnyIO's default limiter (40 at first). Change the number with
`anyio.to_thread.current_default_thread_limiter().total_tokens = n`, inside the running event loop.
"""

from __future__ import annotations

import functools
import warnings
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any, Generic, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from core._utils import cancel_after, create_collapsing_task_group, is_async_callable
from core.exceptions import StarletteDeprecationWarning

P = ParamSpec("P")
T = TypeVar("T")

# Of send_from_threads.
PATIENCE = 0.005  # seconds
MOST_ITEMS = 64
MOST_BYTES = 256 * 1024
BLOCK_SIZE = 64 * 1024


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


async def send_from_threads(iterable: Iterable[Any], send: Callable[[Any], Awaitable[None]]) -> None:
    """Send every item in order, many of them for each visit to a worker thread.

    A visit ends when it has enough to send, or when the event loop has lost its patience. The loop looks once during each
    visit at what is there, and a visit that has been looked at ends with its next item: so no item waits longer than
    PATIENCE for the one after it, however long that takes. What the iterable or `send` raises is raised as it is, after
    the items before it.
    """
    source = BlockingSource(iterable)
    async with create_collapsing_task_group() as group:
        while not source.is_exhausted:
            source.was_looked_at = False
            visit_ended = anyio.Event()
            group.start_soon(source.visit, visit_ended)
            with anyio.move_on_after(PATIENCE):
                await visit_ended.wait()
            # Said before the items are taken: one that comes in between is either taken here or the last of its visit.
            source.was_looked_at = True
            await source.send_ready(send)
            await visit_ended.wait()
            await source.send_ready(send)
    if source.failure is not None:
        raise source.failure


class BlockingSource:
    """Items on their way from worker threads, which append them, to the event loop, which removes them."""

    def __init__(self, iterable: Iterable[Any]) -> None:
        self.iterator = blocks_of(iterable)
        self.items: deque[Any] = deque()
        self.failure: Exception | None = None
        self.is_exhausted = False
        self.was_looked_at = False

    async def visit(self, ended: anyio.Event) -> None:
        await anyio.to_thread.run_sync(self.fetch)
        ended.set()

    async def send_ready(self, send: Callable[[Any], Awaitable[None]]) -> None:
        while self.items:
            await send(self.items.popleft())

    def fetch(self) -> None:
        """Visit the iterable until there is enough to send. Runs in a worker thread."""
        size = count = 0
        try:
            for item in self.iterator:
                self.items.append(item)
                size += len(item)
                count += 1
                if self.was_looked_at or count >= MOST_ITEMS or size >= MOST_BYTES:
                    return
        except Exception as error:
            self.failure = error
        self.is_exhausted = True


def blocks_of(iterable: Iterable[Any]) -> Iterator[Any]:
    """The items of an iterable. A file is read in blocks, because iterating it gives lines of any length."""
    read = getattr(iterable, "read", None)
    if read is None:
        yield from iterable
        return
    while block := read(BLOCK_SIZE):
        yield block


async def run_until_first_complete(*args: tuple[Callable[..., Coroutine[Any, Any, Any]], dict[str, Any]]) -> None:
    """Run (function, keyword arguments) pairs side by side; the first to finish cancels the others. Deprecated."""
    advice = "run_until_first_complete is deprecated and will be removed in a future version."
    warnings.warn(advice, StarletteDeprecationWarning, stacklevel=2)
    async with anyio.create_task_group() as group:
        for func, kwargs in args:
            group.start_soon(cancel_after, functools.partial(func, **kwargs), group.cancel_scope)
