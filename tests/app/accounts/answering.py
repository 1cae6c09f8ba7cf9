"""A server on a loopback port that says one thing to whoever asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def answering_server(body: str | None, status: str = "200 OK") -> AsyncIterator[tuple[str, list[str]]]:
    """Answers with `body`, or never; yields its address and the heads of the requests it got."""
    asked: list[str] = []
    closing = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if body is None:
            await closing.wait()
        else:
            writer.write(
                f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        closing.set()
        server.close()
        await server.wait_closed()
