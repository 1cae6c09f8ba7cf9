"""The pytest plugin of a conformance run: ends tests that hang, and says which functions may block the event loop."""

from __future__ import annotations

import importlib
import signal
from collections.abc import Container, Iterator
from types import FrameType
from typing import Any

import pytest

SECONDS_PER_TEST = 20


class TestHangs(BaseException):
    """A BaseException, so that no handler under test takes it for an error of the application."""


class AnyFunction(Container[str]):
    """The suite names the function of its own test client that may block; in another test client it may be any."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())


def pytest_configure(config: pytest.Config) -> None:
    # Present in the suite's environment only.
    blockbuster: Any = importlib.import_module("blockbuster")
    original = blockbuster.BlockBusterFunction.can_block_in

    def can_block_in(function: Any, filename: str, functions: Any) -> Any:
        if "/starlette/" not in filename:
            return original(function, filename, functions)
        function.can_block_functions.append((filename.replace("/starlette/", "/core/"), AnyFunction()))
        return function

    blockbuster.BlockBusterFunction.can_block_in = can_block_in


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    signal.signal(signal.SIGALRM, _raise)
    # It fires again and again, because a teardown may hang as well.
    signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_TEST, 3)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _raise(signal_number: int, frame: FrameType | None) -> None:
    raise TestHangs(f"longer than {SECONDS_PER_TEST} seconds")
