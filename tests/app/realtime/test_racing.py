"""Work that is stopped ends, however it takes a cancellation."""

import asyncio

import pytest

from app.realtime.racing import finish, first_to_end, stop


async def deaf(heard: list[str]) -> None:
    """Takes the first cancellation for a limit of its own, as libraries that wait with a limit do."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            heard.append("cancelled")
            if len(heard) > 1:
                raise


async def test_what_does_not_hear_the_first_time_is_asked_again() -> None:
    heard: list[str] = []
    task = asyncio.ensure_future(deaf(heard))
    await asyncio.sleep(0)
    await stop(task)

    assert task.done()
    assert heard == ["cancelled", "cancelled"]


async def test_the_first_to_end_ends_the_others_and_its_failure_is_told() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    heard: list[str] = []
    with pytest.raises(LookupError):
        await first_to_end(deaf(heard), fail())

    assert heard == ["cancelled", "cancelled"]


async def test_what_is_stopped_is_stopped_also_when_its_stopper_is_cancelled_again() -> None:
    heard: list[str] = []
    task = asyncio.ensure_future(deaf(heard))
    await asyncio.sleep(0)
    stopping = asyncio.ensure_future(stop(task))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping

    assert task.done()


async def test_what_has_to_be_finished_is_however_often_it_is_cancelled() -> None:
    goes_on, closed = asyncio.Event(), []

    async def close() -> None:
        await goes_on.wait()
        closed.append("closed")

    finishing = asyncio.ensure_future(finish(close()))
    for _ in range(2):
        await asyncio.sleep(0)
        finishing.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await finishing

    assert closed == ["closed"]
