"""Finishing a request's generator dependencies, last opened first, and its form."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

import anyio

from core._typed.inputs import Resolution
from core.concurrency import run_in_threadpool

# How long the cleaning up after a cancelled request may take, in seconds, before it is cancelled as well.
CANCELLED_GRACE = 10.0


async def finish(run: Resolution, error: BaseException | None) -> None:
    """Let every generator see how the handler ended. Raises what they raise instead; none can swallow `error`.

    A generator that fails makes those opened before it see that failure: a commit that fails rolls the rest back.
    """
    if error is not None and not isinstance(error, Exception):
        with anyio.move_on_after(CANCELLED_GRACE, shield=True):
            await _finish_each(run, error)
        return
    failure = await _finish_each(run, error)
    if failure is not None and failure is not error:
        raise failure


async def _finish_each(run: Resolution, error: BaseException | None) -> BaseException | None:
    while run.generators:
        error = await _finish_one(run.generators.pop(), error)
    if run.form is not None:
        await run.form.close()
    return error


async def _finish_one(generator: Any, error: BaseException | None) -> BaseException | None:
    try:
        if isinstance(generator, AsyncGenerator):
            await _finish_async(generator, error)
        else:
            await run_in_threadpool(_finish_sync, generator, error)
    except BaseException as failure:
        return failure
    return error


async def _finish_async(generator: AsyncGenerator[Any, None], error: BaseException | None) -> None:
    try:
        await (anext(generator) if error is None else generator.athrow(error))
    except StopAsyncIteration:
        return
    await generator.aclose()
    raise RuntimeError(f"The dependency {name_of(generator)} yielded more than once.")


def _finish_sync(generator: Generator[Any, None, None], error: BaseException | None) -> None:
    try:
        next(generator) if error is None else generator.throw(error)
    except StopIteration:
        return
    generator.close()
    raise RuntimeError(f"The dependency {name_of(generator)} yielded more than once.")


def name_of(generator: object) -> str:
    return str(getattr(generator, "__qualname__", generator))
