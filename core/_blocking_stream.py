"""Sending what a blocking iterable produces, with many items for each visit to a worker thread.

A visit ends when it has enough to send, or when the event loop has lost its patience. The loop looks once during each
visit at what is there, and a visit that has been looked at ends with its next item: so no item waits longer than
PATIENCE for the one after it, however long that takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import anyio
import anyio.to_thread

from core._utils import create_collapsing_task_group

PATIENCE = 0.005  # seconds
MOST_ITEMS = 64
MOST_BYTES = 256 * 1024
BLOCK_SIZE = 64 * 1024


async def send_from_threads(iterable: Iterable[Any], send: Callable[[Any], Awaitable[None]]) -> None:
    """Send every item in order. What the iterable or `send` raises is raised as it is, after the items before it."""
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
