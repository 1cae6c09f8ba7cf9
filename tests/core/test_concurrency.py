"""Blocking work in threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar

import anyio
import pytest

from core.concurrency import closing, iterate_in_threadpool, run_in_threadpool, run_until_first_complete
from core.exceptions import StarletteDeprecationWarning

language: ContextVar[str] = ContextVar("language", default="none")


async def test_a_blocking_call_runs_in_another_thread_and_returns_its_result() -> None:
    def divide(a: int, *, by: int) -> tuple[int, bool]:
        return a // by, threading.current_thread() is threading.main_thread()

    assert await run_in_threadpool(divide, 6, by=3) == (2, False)


async def test_what_a_blocking_call_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await run_in_threadpool(lambda: 1 // 0)


async def test_context_variables_flow_into_the_thread_and_not_back() -> None:
    def change() -> str:
        seen = language.get()
        language.set("changed")
        return seen

    language.set("de")
    assert await run_in_threadpool(change) == "de"
    assert language.get() == "de"


async def test_the_number_of_threads_is_that_of_anyios_limiter() -> None:
    limiter = anyio.to_thread.current_default_thread_limiter()
    tokens, limiter.total_tokens = limiter.total_tokens, 1
    running: list[int] = []
    most: list[int] = []

    def work() -> None:
        running.append(1)
        most.append(len(running))
        running.pop()

    try:
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(run_in_threadpool, work)
    finally:
        limiter.total_tokens = tokens
    assert max(most) == 1


async def test_a_blocking_iterable_is_iterated_in_threads() -> None:
    def numbers() -> Iterator[tuple[int, bool]]:
        for number in range(3):
            yield number, threading.current_thread() is threading.main_thread()

    assert [item async for item in iterate_in_threadpool(numbers())] == [(0, False), (1, False), (2, False)]


async def test_the_first_to_complete_ends_the_others() -> None:
    ended = []

    async def quick(name: str) -> None:
        ended.append(name)

    with pytest.warns(StarletteDeprecationWarning):
        await run_until_first_complete((anyio.sleep_forever, {}), (quick, {"name": "quick"}))
    assert ended == ["quick"]


async def test_a_stream_that_cannot_be_closed_is_left_alone() -> None:
    class Endless:
        def __aiter__(self) -> Endless:
            return self

        async def __anext__(self) -> int:
            return 1

    stream = Endless()
    async with closing(stream) as same:
        assert same is stream
