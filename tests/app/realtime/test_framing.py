"""Frames that RFC 6455 forbids, sent byte by byte, and the code with which each is answered (section 7.4.1)."""

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.app.realtime.listening import SECONDS, Person, Product

FINAL, TEXT, BINARY, PING, CLOSE, CONTINUATION = 0x80, 0x1, 0x2, 0x9, 0x8, 0x0
PROTOCOL_ERROR, UNSUPPORTED, INVALID_TEXT, TOO_LARGE = 1002, 1003, 1007, 1009


def frame(first: int, payload: bytes = b"", *, is_masked: bool = True, length: int | None = None) -> bytes:
    size = len(payload) if length is None else length
    mask_bit = 0x80 if is_masked else 0
    if size < 126:
        head = struct.pack("!BB", first, mask_bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, size)
    return head + (bytes(4) if is_masked else b"") + payload  # A mask of zeros leaves the payload as it is.


CASES = {
    "a frame without a mask": (frame(FINAL | TEXT, b"{}", is_masked=False), PROTOCOL_ERROR),
    "a reserved bit": (frame(FINAL | 0x40 | TEXT, b"{}"), PROTOCOL_ERROR),
    "a reserved opcode": (frame(FINAL | 0x3, b"{}"), PROTOCOL_ERROR),
    "a ping in pieces": (frame(PING, b"half"), PROTOCOL_ERROR),
    "a ping that is too long": (frame(FINAL | PING, b"x" * 126), PROTOCOL_ERROR),
    "the rest of nothing": (frame(FINAL | CONTINUATION, b"{}"), PROTOCOL_ERROR),
    "a message within another": (frame(TEXT, b"{") + frame(FINAL | TEXT, b"{}"), PROTOCOL_ERROR),
    "half a close code": (frame(FINAL | CLOSE, b"\x03"), PROTOCOL_ERROR),
    "a close code that nobody may send": (frame(FINAL | CLOSE, struct.pack("!H", 1005)), PROTOCOL_ERROR),
    "text that is not UTF-8": (frame(FINAL | TEXT, b"\xff\xfe"), INVALID_TEXT),
    "bytes where text is spoken": (frame(FINAL | BINARY, b"{}"), UNSUPPORTED),
    "a length beyond the limit, and nothing after it": (frame(FINAL | TEXT, length=2**40), TOO_LARGE),
    "many pieces that are too much together": (frame(TEXT, b"x" * 40_000) + frame(0, b"x" * 40_000), TOO_LARGE),
}


@asynccontextmanager
async def line(product: Product, person: Person) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection after the handshake and the first message."""
    host, _, port = product.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {product.url}\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nCookie: session={person.token}\r\n\r\n".encode()
    )
    assert b" 101 " in (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
    yield reader, writer
    writer.close()


async def close_code(reader: asyncio.StreamReader) -> int:
    """The code of the server's close frame, after whatever else it says."""
    while True:
        first, size = await reader.readexactly(2)
        payload = await reader.readexactly(size)
        if first == FINAL | CLOSE:
            return int.from_bytes(payload[:2], "big")


@pytest.fixture(scope="module")
async def ada(product: Product) -> Person:
    return await product.add_person()


@pytest.mark.requirement("WSK-4")
@pytest.mark.parametrize("case", CASES)
async def test_a_frame_that_may_not_be_is_answered_with_its_code(product: Product, ada: Person, case: str) -> None:
    sent, code = CASES[case]
    async with line(product, ada) as (reader, writer), asyncio.timeout(SECONDS):
        writer.write(sent)
        assert await close_code(reader) == code
