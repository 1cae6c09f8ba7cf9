"""A line to a server that can be made slow, silent, broken or closed: a TCP proxy on a loopback port."""

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK = 64 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class FaultProxy:
    """Passes on what arrives, unless told otherwise; used as an async context manager, on its loop alone."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._lines: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0
        self.latency = 0.0  # Seconds, each way.

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        self.reset()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    @property
    def open_lines(self) -> int:
        return len(self._lines)

    async def accept(self) -> None:
        """Listen, at first or after `refuse`, on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Take no new lines; those that are open go on."""
        if self._server:
            self._server.close()
            self._server = None

    def swallow(self) -> None:
        """Say nothing any more and close nothing, as when a cable is pulled."""
        self._flowing.clear()

    def flow(self) -> None:
        """End of `swallow`: what was sent meanwhile arrives."""
        self._flowing.set()

    def reset(self) -> None:
        """Break all open lines with RST."""
        for end in list(self._ends):
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            end.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)
        self._ends.add(writer)
        try:
            await self._flowing.wait()
            there, back = await asyncio.open_connection(*self.target)
            self._ends.add(back)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, back))
                group.create_task(self._pass_on(there, writer))
            self._ends.discard(back)
        except (OSError, asyncio.CancelledError):
            pass  # asyncio complains of a line's task that ends in any other way.
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if self.latency:
                    await asyncio.sleep(self.latency)
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
