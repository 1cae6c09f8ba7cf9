"""The server's protocol class on a transport that is a list of bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import cache

import uvicorn
from uvicorn.server import ServerState

from core.server import BoundedProtocol
from core.types import Receive, Scope, Send


class Wire(asyncio.Transport):
    """Keeps what is written, and whether the protocol wants to read."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = bytearray()
        self.is_closed = False
        self.is_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def writelines(self, pieces: Iterable[bytes | bytearray | memoryview]) -> None:
        self.written += b"".join(pieces)

    def close(self) -> None:
        self.is_closed = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """The client reads to the end; then it leaves."""

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def configuration() -> uvicorn.Config:
    config = uvicorn.Config(echo, http=BoundedProtocol, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    return config


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what was asked, once the body is complete; to nobody if it never is."""
    body = b""
    message = await receive()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
        message = await receive()
    else:
        return
    answer = repr((scope["method"], scope["path"], scope["query_string"], scope["headers"], body)).encode()
    length = b"%d" % len(answer)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": answer})


def conversation(pieces: Iterable[bytes], *, is_patient: bool = False) -> bytes:
    """What the server says to a client that says this, waiting for answers in between if it is patient, and leaves."""
    return event_loop().run_until_complete(converse(pieces, is_patient))


async def converse(pieces: Iterable[bytes], is_patient: bool) -> bytes:
    state, wire = ServerState(), Wire()
    protocol = BoundedProtocol(configuration(), state, {}, asyncio.get_running_loop())
    protocol.connection_made(wire)
    for piece in pieces:
        if wire.is_closed:
            break
        protocol.data_received(piece)
        while wire.is_paused and not wire.is_closed:
            await asyncio.sleep(0)
        while is_patient and await made_progress(wire):
            pass
    while any(not task.done() for task in state.tasks) and await made_progress(wire):
        pass
    protocol.connection_lost(None)
    await asyncio.gather(*state.tasks)
    assert not state.connections
    return bytes(wire.written)


async def made_progress(wire: Wire) -> bool:
    """Whether tasks that could go on did so: four turns of the loop are more than any step takes."""
    before = len(wire.written)
    for _ in range(4):
        await asyncio.sleep(0)
    return len(wire.written) > before
