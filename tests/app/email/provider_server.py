"""A provider's HTTP API on a loopback port, which answers, fails, hangs or trickles as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

OK = "HTTP/1.1 200 OK"
HANG = "hang"
HALF = "half"
TRICKLE = "trickle"


@dataclass(frozen=True)
class Answer:
    """One answer: a status line and a body, or a way of not answering."""

    status: str = OK
    body: str = '{"id": "provider-1", "MessageID": "provider-1"}'
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass
class ProviderServer:
    """Gives its `answers` in turn, the last one for ever, and remembers what it was asked."""

    answers: list[Answer]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._read(reader)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            await self._answer(answer, writer)
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(Asked(line, headers, _read_body(headers, body)))

    async def _answer(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        match answer.status:
            case "hang":
                await self.closing.wait()
            case "half":
                writer.write(f"{OK}\r\ncontent-length: 1000\r\n\r\n{{".encode())
            case "trickle":
                await self._trickle(writer)
            case status:
                head = [status, f"content-length: {len(answer.body.encode())}", "connection: close", *answer.headers]
                writer.write("\r\n".join([*head, "", answer.body]).encode())
        await writer.drain()

    async def _trickle(self, writer: asyncio.StreamWriter) -> None:
        """A byte now and then: each read succeeds in time, the answer never ends."""
        writer.write(f"{OK}\r\ncontent-length: 100000\r\n\r\n".encode())
        while not self.closing.is_set():
            writer.write(b" ")
            await writer.drain()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), 0.02)


def _read_body(headers: dict[str, str], body: bytes) -> Any:
    is_json = headers.get("content-type", "").startswith("application/json")
    return json.loads(body) if is_json else body.decode()


@asynccontextmanager
async def provider_server(*answers: Answer) -> AsyncIterator[ProviderServer]:
    """A server that gives these answers in turn."""
    provider = ProviderServer(list(answers) or [Answer()])
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        provider.closing.set()
        server.close()
        await server.wait_closed()
