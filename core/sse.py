"""Server-sent events (HTML, section 9.2): a response that stays open and tells a browser's EventSource what happens.

    async def show_events(request: Request) -> EventSourceResponse:
        return EventSourceResponse(changes_after(last_event_id(request)))

A browser reconnects by itself and names the last event that it saw: give events an `id`, begin after `last_event_id`, and
none is lost. What a handler's dependencies opened is closed before the first event is sent: the content has to open its own.
"""

import json
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import anyio

from core._response import while_connected
from core._utils import cancel_after, create_collapsing_task_group
from core.background import BackgroundTask
from core.concurrency import closing
from core.requests import HTTPConnection
from core.responses import StreamingResponse
from core.types import Receive, Scope, Send

# A comment, which browsers skip and proxies take for a sign of life.
KEEP_ALIVE = b": keep-alive\n\n"
# `scope["extensions"]` of core.server: how to learn that the server wants to end.
SHUTDOWN_EXTENSION = "core.shutdown"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event. `event` is its type ("message" where it is not given), `retry` the milliseconds until a reconnection.

    Raises ValueError for an `id` or `event` that would break out of its line; `data` may have any lines.
    """

    data: str = ""
    event: str | None = None
    id: str | None = None
    retry: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("event", self.event), ("id", self.id)):
            if value is not None and any(character in value for character in "\r\n\0"):
                raise ValueError(f"The {name} of a server-sent event is one line without NUL, not {value!r}")

    @classmethod
    def json(cls, value: Any, *, event: str | None = None, id: str | None = None) -> Self:
        """An event whose data is a value as JSON."""
        return cls(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")), event, id)

    def encode(self) -> bytes:
        """The event on the wire, its data split at every line end that a browser knows."""
        fields = [("id", self.id), ("event", self.event), ("retry", self.retry)]
        lines = [f"{name}: {value}" for name, value in fields if value is not None]
        data = self.data.replace("\r\n", "\n").replace("\r", "\n")
        lines += [f"data: {line}" for line in data.split("\n")]
        return ("\n".join(lines) + "\n\n").encode()


def last_event_id(connection: HTTPConnection) -> str | None:
    """The id of the last event that a reconnecting browser has seen."""
    found: str | None = connection.headers.get("last-event-id")
    return found or None


class EventSourceResponse(StreamingResponse):
    """Events, from an async iterable of `ServerSentEvent`s or of strings that are their data.

    After `keep_alive` seconds without an event a comment is sent, so that neither proxies nor browsers take the connection
    for dead. After `maximum_lifetime` seconds it ends, and the browser comes back: to the newest version, with rights that
    are checked again. It also ends, and the content is closed, when the client leaves or core.server shuts down.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        content: AsyncIterable[ServerSentEvent | str],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
        *,
        keep_alive: float = 15.0,
        maximum_lifetime: float = 3600.0,
        retry: int | None = None,
    ) -> None:
        super().__init__((), status_code, headers, media_type, background)
        self.events = content
        self.keep_alive = keep_alive
        self.maximum_lifetime = maximum_lifetime
        self.opening = KEEP_ALIVE if retry is None else f"retry: {retry}\n\n".encode()
        self.headers.setdefault("cache-control", "no-store")
        # nginx would otherwise keep the events until its buffer is full.
        self.headers.setdefault("x-accel-buffering", "no")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shutdown = scope.get("extensions", {}).get(SHUTDOWN_EXTENSION)
        await while_connected(scope, receive, partial(self._tell, send, shutdown), self.listen_for_disconnect)
        if self.background is not None:
            await self.background()

    async def _tell(self, send: Send, shutdown: Any) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._say(send, self.opening)
        async with create_collapsing_task_group() as group:
            group.start_soon(self._fill_silence, send)
            if shutdown is not None:
                group.start_soon(cancel_after, shutdown["wait"], group.cancel_scope)
            with anyio.move_on_after(self.maximum_lifetime):
                async with closing(self.events) as events:
                    async for event in events:
                        await self._say(send, (ServerSentEvent(event) if isinstance(event, str) else event).encode())
            group.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _fill_silence(self, send: Send) -> None:
        while True:
            due = self._said_at + self.keep_alive
            await anyio.sleep_until(due)
            if self._said_at + self.keep_alive <= due:
                await self._say(send, KEEP_ALIVE)

    async def _say(self, send: Send, body: bytes) -> None:
        self._said_at = anyio.current_time()
        await send({"type": "http.response.body", "body": body, "more_body": True})
