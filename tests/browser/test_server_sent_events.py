"""A browser's EventSource and core.sse: whatever happens to the connection, each event arrives once."""

from collections.abc import AsyncIterator, Iterator

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser

from core.applications import Starlette
from core.middleware import Middleware
from core.requests import Request
from core.responses import HTMLResponse, Response
from core.routing import Route
from core.sse import EventSourceResponse, ServerSentEvent, last_event_id
from core.types import ASGIApp, Message, Receive, Scope, Send
from tests.core.serving import serving

EVENTS = 8
LISTEN = """
() => new Promise((resolve) => {
  const heard = [];
  const source = new EventSource("/events");
  source.onmessage = (event) => {
    heard.push(event.data);
    if (event.data === "last") { source.close(); resolve(heard); }
  };
})
"""


class Dropping:
    """Breaks every other connection off in the middle of its fourth message."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.connections = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/events":
            await self.app(scope, receive, send)
            return
        self.connections += 1
        messages = 0

        async def send_some(message: Message) -> None:
            nonlocal messages
            messages += 1
            if messages == 4 and self.connections % 2:
                body = message["body"]
                await send({**message, "body": body[: len(body) // 2]})
                raise ConnectionAbortedError("The network is gone.")
            await send(message)

        await self.app(scope, receive, send_some)


@pytest.fixture
def resumed_after() -> list[str | None]:
    """The `Last-Event-ID` of each connection."""
    return []


@pytest.fixture
def address(resumed_after: list[str | None]) -> Iterator[str]:
    async def show_page(request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>Events</title>")

    async def events_after(last: int) -> AsyncIterator[ServerSentEvent]:
        for number in range(last + 1, EVENTS + 1):
            yield ServerSentEvent("last" if number == EVENTS else str(number), id=str(number), retry=1)
            if number == 5:
                return  # A server that restarts ends the response as it should be ended.

    async def show_events(request: Request) -> Response:
        resumed_after.append(last_event_id(request))
        return EventSourceResponse(events_after(int(resumed_after[-1] or 0)))

    routes = [Route("/", show_page), Route("/events", show_events)]
    app = Starlette(routes=routes, middleware=[Middleware(Dropping)])
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(app)) as served:
        yield f"http://127.0.0.1:{served.address[1]}/"


def test_an_eventsource_loses_no_event_when_its_connection_breaks(
    browser: Browser, address: str, resumed_after: list[str | None]
) -> None:
    page = browser.new_page()
    page.goto(address)
    assert page.evaluate(LISTEN) == ["1", "2", "3", "4", "5", "6", "7", "last"]
    page.close()
    assert resumed_after == [None, "1", "5", "6"]
