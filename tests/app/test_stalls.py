"""The watch over the event loop: it names the line that holds it up, and says nothing of a loop that turns."""

import asyncio
import gc
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from app.stalls import StallWatch, spare_what_stays


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as logged:
        yield logged


async def turned() -> None:
    """The loop has run what was due."""
    for _ in range(5):
        await asyncio.sleep(0.02)


@pytest.mark.requirement("REL-15")
async def test_rel_15_a_loop_that_stands_still_is_logged_once_with_the_line(
    logged: list[structlog.typing.EventDict],
) -> None:
    with StallWatch(stall_seconds=0.1, look_seconds=0.01).watching():
        await turned()
        time.sleep(0.4)  # What must not be done.
        await turned()

    stalls = [entry for entry in logged if entry["event"] == "loop.stalled"]
    assert len(stalls) == 1
    name, _, number = stalls[0]["line"].rpartition(":")
    assert name == "tests/app/test_stalls.py"
    assert "time.sleep(0.4)" in Path(__file__).read_text().splitlines()[int(number) - 1]
    assert "time.sleep(0.4)" in stalls[0]["stack"]
    assert next(entry["seconds"] for entry in logged if entry["event"] == "loop.turns_again") >= 0.4


@pytest.mark.requirement("REL-15")
async def test_rel_15_a_loop_that_turns_is_not_mentioned(logged: list[structlog.typing.EventDict]) -> None:
    with StallWatch(stall_seconds=5, look_seconds=0.01).watching():
        await asyncio.sleep(0.1)

    assert logged == []


@pytest.fixture
def ordinary_collector() -> Iterator[None]:
    threshold = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.set_threshold(*threshold)  # What was frozen stays so, as it was before the test.


@pytest.mark.usefixtures("ordinary_collector")
def test_the_collector_looks_no_more_at_what_was_there_at_the_beginning() -> None:
    before = len(gc.get_objects())
    spare_what_stays()

    assert gc.get_freeze_count() > before / 2
    assert len(gc.get_objects()) < before / 100
