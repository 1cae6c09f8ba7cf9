"""The small shared pieces that libraries written for Starlette import."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

from core._utils import create_collapsing_task_group, get_route_path, is_async_callable


class Calls:
    async def asynchronous(self) -> None: ...

    def synchronous(self) -> None: ...

    async def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (Calls().asynchronous, True),
        (Calls().synchronous, False),
        (Calls(), True),
        (Calls, False),
        (functools.partial(functools.partial(Calls().asynchronous)), True),
        (print, False),
    ],
)
def test_what_gives_an_awaitable_when_called_is_async(candidate: Callable[..., Any], expected: bool) -> None:
    assert is_async_callable(candidate) is expected


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/a/b", "", "/a/b"),
        ("/a/b", "/a", "/b"),
        ("/a", "/a", ""),
        ("/ab", "/a", "/ab"),
        ("/b", "/a", "/b"),
    ],
)
def test_the_root_path_is_taken_off_at_a_segment(path: str, root_path: str, expected: str) -> None:
    assert get_route_path({"path": path, "root_path": root_path}) == expected


async def test_the_only_exception_of_a_task_group_comes_out_bare_with_its_own_context() -> None:
    error, cause = ValueError("error"), KeyError("cause")

    async def fail() -> None:
        raise error from cause

    with pytest.raises(ValueError, match="error") as raised:
        async with create_collapsing_task_group() as group:
            group.start_soon(fail)

    assert raised.value is error
    assert (error.__cause__, error.__context__) == (cause, None)


async def test_several_exceptions_of_a_task_group_stay_a_group() -> None:
    async def fail() -> None:
        raise ValueError

    async def fail_twice() -> None:
        async with create_collapsing_task_group() as group:
            group.start_soon(fail)
            group.start_soon(fail)

    with pytest.raises(ExceptionGroup) as raised:
        await fail_twice()

    assert len(raised.value.exceptions) == 2
