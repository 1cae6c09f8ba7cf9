"""Work after the response."""

import functools
import threading

import pytest

from core.background import BackgroundTask, BackgroundTasks
from core.responses import PlainTextResponse, Response
from tests.core.connections import Sent, body_of, http_scope


async def test_the_task_runs_after_the_last_message() -> None:
    sent = Sent()
    seen = []

    async def count_messages() -> None:
        seen.append(len(sent.messages))

    await PlainTextResponse("hi", background=BackgroundTask(count_messages))(http_scope(), body_of(b""), sent)
    assert seen == [2]


async def test_a_blocking_task_runs_in_a_thread() -> None:
    threads = []

    def remember(name: str, *, times: int) -> None:
        threads.extend([(name, threading.current_thread() is threading.main_thread())] * times)

    await BackgroundTask(remember, "a", times=2)()
    assert threads == [("a", False)] * 2


async def test_tasks_run_in_order_until_one_fails() -> None:
    done = []

    async def note(name: str) -> None:
        done.append(name)

    def fail() -> None:
        raise RuntimeError("broken")

    tasks = BackgroundTasks([BackgroundTask(note, "first")])
    tasks.add_task(note, name="second")
    tasks.add_task(fail)
    tasks.add_task(note, "never")
    with pytest.raises(RuntimeError, match="broken"):
        await Response(background=tasks)(http_scope(), body_of(b""), Sent())
    assert done == ["first", "second"]


async def test_partials_methods_and_callable_objects_count_as_async_if_they_are() -> None:
    done = []

    class Note:
        async def __call__(self, text: str) -> None:
            done.append(text)

        async def method(self, text: str) -> None:
            done.append(text)

    await BackgroundTask(functools.partial(functools.partial(Note()), "partial"))()
    await BackgroundTask(Note().method, "method")()
    assert done == ["partial", "method"]
