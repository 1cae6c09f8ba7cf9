"""Server-sent events: what goes over the wire, and when it ends."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from core.applications import Starlette
from core.background import BackgroundTask
from core.requests import Request
from core.routing import Route
from core.sse import EventSourceResponse, ServerSentEvent, last_event_id
from tests.core.serving import get, serving

OPENING = b": keep-alive\n\n"


class Connection:
    """The two callables of an ASGI connection, by hand."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = anyio.Event()
        self.asked_to_end = anyio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        await anyio.lowlevel.checkpoint()

    async def take(self, response: EventSourceResponse, **scope: Any) -> None:
        await response({"type": "http", "asgi": {"spec_version": "2.3"}, **scope}, self.receive, self.send)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def is_complete(self) -> bool:
        return self.sent[-1].get("more_body") is False


@pytest.fixture
def connection() -> Connection:
    return Connection()


async def numbers(*values: int) -> AsyncIterator[ServerSentEvent]:
    for value in values:
        yield ServerSentEvent(str(value), id=str(value))


@pytest.mark.parametrize(
    ("event", "encoded"),
    [
        (ServerSentEvent("hello"), b"data: hello\n\n"),
        (ServerSentEvent(), b"data: \n\n"),
        (ServerSentEvent("a\nb\rc\r\nd"), b"data: a\ndata: b\ndata: c\ndata: d\n\n"),
        (ServerSentEvent("x", event="saved", id="7", retry=50), b"id: 7\nevent: saved\nretry: 50\ndata: x\n\n"),
        (ServerSentEvent.json({"name": "Zoë"}, id="1"), 'id: 1\ndata: {"name":"Zoë"}\n\n'.encode()),
    ],
)
def test_an_event_is_written_as_the_standard_says(event: ServerSentEvent, encoded: bytes) -> None:
    assert event.encode() == encoded


@pytest.mark.parametrize("broken", ["a\nb", "a\rb", "a\0b"])
def test_a_name_cannot_break_out_of_its_line(broken: str) -> None:
    with pytest.raises(ValueError, match="The id"):
        ServerSentEvent("x", id=broken)
    with pytest.raises(ValueError, match="The event"):
        ServerSentEvent("x", event=broken)


async def test_events_and_strings_are_sent_as_they_come(connection: Connection) -> None:
    async def content() -> AsyncIterator[ServerSentEvent | str]:
        yield ServerSentEvent("one", id="1")
        yield "two"

    await connection.take(EventSourceResponse(content(), retry=2000))
    assert connection.body == b"retry: 2000\n\nid: 1\ndata: one\n\ndata: two\n\n"
    assert connection.is_complete
    headers = dict(connection.sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert (headers[b"cache-control"], headers[b"x-accel-buffering"]) == (b"no-store", b"no")
    assert b"content-length" not in headers


async def test_any_async_iterable_is_content(connection: Connection) -> None:
    sending, receiving = anyio.create_memory_object_stream[str](1)
    sending.send_nowait("one")
    sending.close()
    async with receiving:
        await connection.take(EventSourceResponse(receiving))
    assert connection.body == OPENING + b"data: one\n\n"


async def test_silence_is_filled_with_comments(connection: Connection) -> None:
    async def content() -> AsyncIterator[str]:
        while connection.body.count(OPENING) < 4:
            await anyio.lowlevel.checkpoint()
        yield "after the silence"

    await connection.take(EventSourceResponse(content(), keep_alive=0.01))
    assert connection.body == OPENING * 4 + b"data: after the silence\n\n"


async def test_where_there_is_no_silence_there_are_no_comments(connection: Connection) -> None:
    async def content() -> AsyncIterator[str]:
        end = anyio.current_time() + 0.25
        while anyio.current_time() < end:
            yield "one"

    await connection.take(EventSourceResponse(content(), keep_alive=0.2))
    assert connection.body.startswith(OPENING + b"data: one\n\n")
    assert connection.body.count(OPENING) == 1


async def test_the_content_is_closed_when_the_client_leaves(connection: Connection) -> None:
    closed: list[str] = []

    async def content() -> AsyncIterator[str]:
        try:
            yield "one"
            connection.left.set()
            await anyio.sleep_forever()
        finally:
            closed.append("content")

    async def afterwards() -> None:
        closed.append("background")

    await connection.take(EventSourceResponse(content(), background=BackgroundTask(afterwards)))
    assert closed == ["content", "background"]
    assert not connection.is_complete


async def test_a_lifetime_ends_the_response_properly(connection: Connection) -> None:
    async def content() -> AsyncIterator[str]:
        yield "one"
        await anyio.sleep_forever()

    await connection.take(EventSourceResponse(content(), maximum_lifetime=0.01))
    assert connection.body == OPENING + b"data: one\n\n"
    assert connection.is_complete


async def test_a_server_that_wants_to_end_ends_the_response_properly(connection: Connection) -> None:
    async def content() -> AsyncIterator[str]:
        yield "one"
        connection.asked_to_end.set()
        await anyio.sleep_forever()

    extensions = {"core.shutdown": {"wait": connection.asked_to_end.wait}}
    await connection.take(EventSourceResponse(content()), extensions=extensions)
    assert connection.body == OPENING + b"data: one\n\n"
    assert connection.is_complete


async def test_a_failure_of_the_content_is_the_responses_own(connection: Connection) -> None:
    async def content() -> AsyncIterator[str]:
        yield "one"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        await connection.take(EventSourceResponse(content()))
    assert not connection.is_complete


def test_a_browser_that_comes_back_names_the_last_event() -> None:
    scope = {"type": "http", "headers": [(b"last-event-id", b"7")]}
    assert last_event_id(Request(scope)) == "7"
    assert last_event_id(Request({"type": "http", "headers": []})) is None


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_reconnecting_loses_no_event_and_a_shutdown_waits_for_nobody(anyio_backend: str) -> None:
    async def show_events(request: Request) -> EventSourceResponse:
        return EventSourceResponse(events_after(int(last_event_id(request) or 0)))

    async def events_after(number: int) -> AsyncIterator[ServerSentEvent]:
        async for event in numbers(*range(number + 1, number + 3)):
            yield event
        await anyio.sleep_forever()

    async with serving(Starlette(routes=[Route("/", show_events)])) as served:
        seen = []
        for header in ([], [b"Last-Event-ID: 2"]):
            client = await served.connect()
            client.say(get(b"/", *header))
            await client.reader.readuntil(b"\r\n\r\n")
            for _ in range(2):
                seen.append(
                    (await client.reader.readuntil(b"data: ") + await client.reader.readline()).split(b"data: ")[1]
                )
        assert seen == [b"1\n", b"2\n", b"3\n", b"4\n"]
        await served.stop()
        for client in served.clients:
            assert (await client.rest()).endswith(b"0\r\n\r\n")
