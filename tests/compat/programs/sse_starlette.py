"""sse-starlette on core."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import anyio
import httpx2
from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import AsyncTestClient, TestClient

import core.responses


def client_of(response: Response) -> TestClient:
    return TestClient(Starlette(routes=[Route("/", lambda request: response)]))


async def numbers(count: int) -> AsyncIterator[dict[str, object]]:
    for number in range(count):
        yield {"data": number, "id": str(number), "event": "number"}


async def first_text(response: httpx2.Response) -> str:
    async with aclosing(response.aiter_raw()) as pieces:
        return (await anext(pieces)).decode()


def test_its_response_is_one_of_core() -> None:
    assert issubclass(EventSourceResponse, core.responses.Response)


def test_events_with_names_and_ids() -> None:
    response = client_of(EventSourceResponse(numbers(2), sep="\n")).get("/")

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert response.text == "id: 0\nevent: number\ndata: 0\n\nid: 1\nevent: number\ndata: 1\n\n"


def test_events_of_a_blocking_iterator() -> None:
    def words() -> Iterator[str]:
        yield from ("one", "two")

    assert client_of(EventSourceResponse(words(), sep="\n")).get("/").text == "data: one\n\ndata: two\n\n"


def test_events_as_objects() -> None:
    async def events() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent("two\nlines", retry=500, comment="a comment", sep="\n")
        yield JSONServerSentEvent({"a": [1, 2]}, sep="\n")

    text = client_of(EventSourceResponse(events(), sep="\n")).get("/").text
    first, second = text.strip().split("\n\n")
    assert set(first.splitlines()) == {": a comment", "data: two", "data: lines", "retry: 500"}
    assert json.loads(second.removeprefix("data: ")) == {"a": [1, 2]}


def test_a_background_task_follows_the_last_event() -> None:
    done: list[str] = []
    response = EventSourceResponse(numbers(1), background=BackgroundTask(done.append, "background"))

    client_of(response).get("/")
    assert done == ["background"]


async def test_a_ping_is_sent_while_nothing_happens() -> None:
    async def silence() -> AsyncIterator[str]:
        await anyio.sleep_forever()
        yield ""

    async def listen(request: Request) -> EventSourceResponse:
        return EventSourceResponse(silence(), ping=1, sep="\n")

    with anyio.fail_after(10):
        async with (
            AsyncTestClient(Starlette(routes=[Route("/", listen)])) as client,
            client.stream("GET", "/") as response,
        ):
            assert (await first_text(response)).startswith(": ping")


async def test_the_source_is_closed_when_the_client_leaves() -> None:
    left = anyio.Event()

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "on"
                await anyio.lowlevel.checkpoint()
        finally:
            left.set()

    async def listen(request: Request) -> EventSourceResponse:
        return EventSourceResponse(endless())

    async with AsyncTestClient(Starlette(routes=[Route("/", listen)])) as client:
        async with client.stream("GET", "/") as response:
            await first_text(response)
        with anyio.fail_after(10):
            await left.wait()
