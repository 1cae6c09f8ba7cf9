"""ASGI scopes and channels made by hand, so that a test sees each message that a response sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import process_time
from typing import Any

import anyio

from core.types import ASGIApp, Message, Receive, Scope


def http_scope(method: str = "GET", path: str = "/", headers: Mapping[str, str] | None = None, **more: Any) -> Scope:
    """A scope of a server that reports a client's leaving by raising OSError (ASGI 2.4)."""
    fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "headers": fields,
        "server": ("testserver", 80),
        **more,
    }


def websocket_scope(path: str = "/", **more: Any) -> Scope:
    return http_scope(path=path, **{"type": "websocket", "scheme": "ws", **more})


def body_of(*chunks: bytes) -> Receive:
    """Sends these pieces of a body; whoever asks for more waits, as with a client that stays."""
    messages = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, start=1)
    ]
    return messages_of(*messages)


def messages_of(*messages: Message) -> Receive:
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            # A test that comes here by mistake fails rather than hangs.
            with anyio.fail_after(10):
                await anyio.sleep_forever()
        return waiting.pop(0)

    return receive


class Sent:
    """A send channel that remembers what was sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.messages[0]["headers"]}

    @property
    def chunks(self) -> list[bytes]:
        return [bytes(message["body"]) for message in self.messages if message["type"].endswith("response.body")]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


async def answer(app: ASGIApp, scope: Scope | None = None, receive: Receive | None = None) -> Sent:
    sent = Sent()
    await app(scope if scope is not None else http_scope(), receive or body_of(b""), sent)
    return sent


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times longer the work takes for four times the size: about 4 if it is linear, 16 if quadratic."""
    return cpu_seconds(work, 4 * size) / max(cpu_seconds(work, size), 1e-5)


def cpu_seconds(work: Callable[[int], object], size: int) -> float:
    """The best of five, because other processes can only make it slower."""
    durations = []
    for _ in range(5):
        started = process_time()
        work(size)
        durations.append(process_time() - started)
    return min(durations)
