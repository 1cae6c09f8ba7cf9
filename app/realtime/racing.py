"""Work that ends together, and work that is ended."""

import asyncio
from collections.abc import Coroutine
from typing import Any

AGAIN_AFTER_SECONDS = 0.5


async def first_to_end(*work: Coroutine[Any, Any, None]) -> None:  # Any: what a coroutine sends and yields.
    """Run all until the first ends; stop the others, and raise what it raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            await stop(task)
    for task in done:
        task.result()


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel until it has ended: a library that waits with a limit of its own may take one cancellation for that limit.

    Whoever stops something may be cancelled again meanwhile, for the same reason; it is stopped all the same.
    """
    asked_again: asyncio.CancelledError | None = None
    while not task.done():
        task.cancel()
        try:
            await asyncio.wait([task], timeout=AGAIN_AFTER_SECONDS)
        except asyncio.CancelledError as cancelled:
            asked_again = cancelled
    if not task.cancelled():
        task.exception()  # Looked at, so that asyncio does not complain that nobody did.
    if asked_again is not None:
        raise asked_again


async def finish(work: Coroutine[Any, Any, None]) -> None:  # Any: as above.
    """Do it whole, such as closing what was opened, however often this is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    asked: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as cancelled:
            asked = cancelled
    task.result()
    if asked is not None:
        raise asked
