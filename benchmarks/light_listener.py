"""A websocket's client that costs next to nothing: a thousand in one process must not be what is measured.

It speaks as much of RFC 6455 as the measurement needs: whole, short text messages, and pings, which it answers.
"""

import asyncio
import base64
import json
import os
import struct
import time
from typing import cast

import uvloop

TEXT, PING, PONG = 0x81, 0x89, 0x8A
LONG = 126  # From here on two bytes more give the payload's length (section 5.2).
NO_MASK = bytes(4)  # A mask of zeros leaves the payload as it is.


def new_loop() -> asyncio.AbstractEventLoop:
    """The fastest loop, as the server's."""
    return uvloop.new_event_loop()


class LightListener(asyncio.Protocol):
    """One connection. `next_arrival` may be awaited by one at a time."""

    def __init__(self, host: str, cookie: str) -> None:
        self._host = host
        self._cookie = cookie
        self._received = b""
        self._is_open = False
        self._arrived = 0
        self._arrival: asyncio.Future[float] | None = None
        self.transport = cast(asyncio.Transport, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {self._host}\r\nOrigin: http://{self._host}\r\nCookie: {self._cookie}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_exception(ConnectionError(f"The server ended the connection: {self._received!r}"))

    def next_arrival(self) -> asyncio.Future[float]:
        """When the next message is here, by time.perf_counter()."""
        self._arrival = asyncio.get_running_loop().create_future()
        if self._arrived:
            self._arrived -= 1
            self._arrival.set_result(time.perf_counter())
        return self._arrival

    def say(self, message: object) -> None:
        """Send a message as JSON, of less than 64 KB."""
        payload = json.dumps(message).encode()
        short = struct.pack("!BB", TEXT, 0x80 | len(payload))
        long = struct.pack("!BBH", TEXT, 0x80 | LONG, len(payload))
        self.transport.write((short if len(payload) < LONG else long) + NO_MASK + payload)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_open:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.transport.abort()
                return
            self._is_open, self._received = True, rest
        while self._take_frame():
            continue

    def _take_frame(self) -> bool:
        """Whether a whole frame was there."""
        received = self._received
        if len(received) < 4:
            return False
        begins, size = (4, int.from_bytes(received[2:4])) if received[1] == LONG else (2, received[1])
        if len(received) < begins + size:
            return False
        payload, self._received = received[begins : begins + size], received[begins + size :]
        if received[0] == PING:
            self.transport.write(struct.pack("!BB", PONG, 0x80 | len(payload)) + NO_MASK + payload)
        elif received[0] == TEXT:
            self._note_arrival()
        return True

    def _note_arrival(self) -> None:
        if self._arrival is None or self._arrival.done():
            self._arrived += 1
        else:
            self._arrival.set_result(time.perf_counter())
