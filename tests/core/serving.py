"""A real uvicorn on a loopback socket, and a client that says exactly what it is told to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from core.server import BoundedProtocol

Application = Callable[..., Awaitable[Any]]
Header = tuple[str, str]


@dataclass
class Answer:
    """One response, read from the wire with its framing checked."""

    status: int
    headers: list[Header]
    body: bytes
    raw: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass
class Client:
    """One connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def say(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def answer(self, *, method: str = "GET") -> Answer:
        """The next response. Fails on bytes that are not one."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        status = int(first.removeprefix("HTTP/1.1 ").split(" ")[0])
        found = Answer(status, headers, b"", head)
        if not (method == "HEAD" or status in (100, 204, 304)):
            found.body = await self._body(found)
        return found

    async def _body(self, found: Answer) -> bytes:
        if found.header("transfer-encoding") == "chunked":
            return await self._chunks()
        length = found.header("content-length")
        return await (self.reader.read() if length is None else self.reader.readexactly(int(length)))

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return body

    async def rest(self) -> bytes:
        """Everything until the server closes, however it does."""
        received = b""
        with suppress(ConnectionError):
            while part := await self.reader.read(65536):
                received += part
        return received

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


class PromptServer(uvicorn.Server):
    """uvicorn looks ten times a second whether it should end; this one is told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.asked_to_end = asyncio.Event()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self.asked_to_end.wait(), 0.1)


@dataclass
class Served:
    """A running server."""

    server: PromptServer
    address: tuple[str, int]
    clients: list[Client] = field(default_factory=list)

    async def connect(self, **settings: Any) -> Client:
        """A new connection; the settings are those of `asyncio.open_connection`."""
        client = Client(*await asyncio.open_connection(*self.address, **settings))
        self.clients.append(client)
        return client

    async def ask(self, *parts: bytes, method: str = "GET") -> Answer:
        """One response to what is said on a new connection."""
        client = await self.connect()
        client.say(*parts)
        try:
            return await client.answer(method=method)
        finally:
            await client.close()

    async def emptied(self) -> None:
        """Wait until no connection and no task is left."""
        while self.server.server_state.connections or self.server.server_state.tasks:
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Begin the graceful shutdown."""
        self.server.should_exit = True
        self.server.asked_to_end.set()


@asynccontextmanager
async def serving(app: Application, http: Any = BoundedProtocol, **settings: Any) -> AsyncIterator[Served]:
    """A server of `app` with uvicorn's settings. It is shut down gracefully, and nothing of it remains."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = PromptServer(uvicorn.Config(app, http=http, **{"log_config": None, "lifespan": "off"} | settings))
    running = asyncio.create_task(server.serve([listener]))
    served = Served(server, listener.getsockname())
    try:
        while not server.started:
            await asyncio.sleep(0)
        yield served
    finally:
        for client in served.clients:
            await client.close()
        await served.stop()
        await running
        assert not server.server_state.connections
        assert not server.server_state.tasks


def get(target: bytes = b"/", *lines: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    """A request's head."""
    return b"".join(
        (
            method,
            b" ",
            target,
            b" HTTP/",
            version,
            b"\r\nHost: localhost\r\n",
            *(line + b"\r\n" for line in lines),
            b"\r\n",
        )
    )


def post(body: bytes, *lines: bytes) -> bytes:
    return get(b"/", b"Content-Length: %d" % len(body), *lines, method=b"POST") + body
