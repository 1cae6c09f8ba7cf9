"""Takes multipart bodies apart as they arrive (RFC 2046 section 5.1, RFC 7578), and header parameters.

Every scan is a `bytes.find` over bytes not seen before, so time is linear in the size of the body however it is cut
into chunks, and everything that is kept while waiting for more has a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from core._headers import TOKEN_CHARACTERS, RawHeaders

LONGEST_BOUNDARY = 256
LONGEST_HEADER_BLOCK = 4096
MOST_HEADERS = 8
BLANKS = (b" ", b"\t")
# A name and its value, which is quoted up to the first quote that has no backslash before it, or is a token.
PARAMETER = re.compile(rb'([^;=]*)(?:(=)[ \t]*(?:"([^"]*(?:(?<=\\)"[^"]*)*)[^;]*|([^;]*)))?(?:;|\Z)')
# Text before the first and after the last part has no meaning, and nobody sends it but to keep us busy.
LONGEST_PROSE = 65536


class PartHead(NamedTuple):
    """What the headers of a part say. A name or file name is None if there is no such parameter."""

    headers: tuple[tuple[bytes, bytes], ...]
    name: bytes | None
    filename: bytes | None


Event = PartHead | bytes | None


class MultipartError(ValueError):
    """The body does not follow the grammar, or exceeds a limit of this module."""


class MultipartReader:
    """Give it the body in pieces; it gives the head of each part, then its content in pieces, then None."""

    def __init__(self, boundary: bytes) -> None:
        if not 0 < len(boundary) <= LONGEST_BOUNDARY:
            raise MultipartError(f"A boundary has 1 to {LONGEST_BOUNDARY} bytes.")
        self._delimiter = b"\r\n--" + boundary
        # The first boundary line needs no line break before it; with this one it is like all others.
        self._buffer = b"\r\n"
        self._position = 0
        self._prose = 0
        # Functions rather than methods: an object that holds its own methods has to wait for the garbage collector.
        self._step = MultipartReader._skip_preamble

    def feed(self, data: bytes) -> Iterator[Event]:
        self._buffer = self._buffer[self._position :] + data
        self._position = 0
        while not isinstance(event := self._step(self), Wait):
            yield event

    def finish(self) -> None:
        """Raises MultipartError if the body ended before its closing boundary line."""
        if self._step is not MultipartReader._skip_epilogue:
            raise MultipartError("The body ends before its closing boundary.")

    def _skip_preamble(self) -> Event | Wait:
        end = self._buffer.find(self._delimiter, self._position)
        if end < 0:
            self._count_prose(self._start_of_possible_delimiter())
            return WAIT
        self._count_prose(end)
        self._position += len(self._delimiter)
        return self._read_boundary_end()

    def _count_prose(self, end: int) -> None:
        self._prose += end - self._position
        self._position = end
        if self._prose > LONGEST_PROSE:
            raise MultipartError("Too much text around the parts.")

    def _read_boundary_end(self) -> Event | Wait:
        mark = self._buffer[self._position : self._position + 2]
        if mark == b"\r\n":
            # The break stays, so that a part without headers ends its header block like any other.
            self._step = MultipartReader._read_headers
            return self._read_headers()
        if mark == b"--":
            self._step = MultipartReader._skip_epilogue
            return self._skip_epilogue()
        if mark[:1] in BLANKS:
            self._skip_padding()
            return self._read_boundary_end()
        if mark not in (b"", b"-", b"\r"):
            raise MultipartError("A boundary is followed by something else than the end of its line.")
        self._step = MultipartReader._read_boundary_end
        return WAIT

    def _skip_padding(self) -> None:
        """Blanks may follow the boundary in its line (RFC 2046 section 5.1.1)."""
        while self._buffer[self._position : self._position + 1] in BLANKS:
            self._count_prose(self._position + 1)

    def _read_headers(self) -> Event | Wait:
        end = self._buffer.find(b"\r\n\r\n", self._position, self._position + LONGEST_HEADER_BLOCK)
        if end < 0:
            if len(self._buffer) - self._position >= LONGEST_HEADER_BLOCK:
                raise MultipartError("The headers of a part are too long.")
            return WAIT
        block = self._buffer[self._position + 2 : end]
        self._position = end + 4
        self._step = MultipartReader._read_content
        return read_part_head(block)

    def _read_content(self) -> Event | Wait:
        start, end = self._position, self._buffer.find(self._delimiter, self._position)
        if end < 0:
            self._position = self._start_of_possible_delimiter()
            return self._buffer[start : self._position] if self._position > start else WAIT
        self._position = end + len(self._delimiter)
        if end > start:
            self._step = MultipartReader._end_part
            return self._buffer[start:end]
        return self._end_part()

    def _end_part(self) -> Event | Wait:
        self._step = MultipartReader._read_boundary_end
        return None

    def _skip_epilogue(self) -> Event | Wait:
        self._count_prose(len(self._buffer))
        return WAIT

    def _start_of_possible_delimiter(self) -> int:
        """Where in the buffer the beginning of a delimiter may stand whose rest has not arrived; its end if nowhere."""
        tail = max(self._position, len(self._buffer) - len(self._delimiter) + 1)
        start = self._buffer.find(b"\r", tail)
        return len(self._buffer) if start < 0 else start


class Wait:
    """Says that the next step needs more of the body."""


WAIT = Wait()


@lru_cache(maxsize=256)
def read_part_head(block: bytes) -> PartHead:
    """The head of a part. Remembered, because the parts of a form have the same heads whenever it is sent."""
    headers = parse_header_block(block)
    disposition = next((value for name, value in headers if name == b"content-disposition"), b"")
    _, parameters = parse_parameters(disposition)
    return PartHead(tuple(headers), parameters.get(b"name"), parameters.get(b"filename"))


def parse_header_block(block: bytes) -> RawHeaders:
    if not block:
        return []
    lines = block.split(b"\r\n")
    if len(lines) > MOST_HEADERS:
        raise MultipartError("A part has too many headers.")
    return [parse_header_line(line) for line in lines]


def parse_header_line(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name.strip(TOKEN_CHARACTERS) or b"\r" in value or b"\n" in value or b"\0" in value:
        raise MultipartError("A header of a part is malformed.")
    return name.lower(), value.strip(b" \t")


def parse_parameters(value: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """`form-data; name="a"` as its value and its parameters, of which the first of a name counts.

    Values may be tokens or quoted strings. Of backslash escapes only those of quotes and of backslashes before quotes
    are undone, because browsers send other backslashes (of a Windows path, say) as they are.
    """
    main, _, rest = value.partition(b";")
    parameters: dict[bytes, bytes] = {}
    for name, equals, quoted, token in PARAMETER.findall(rest):
        if equals and (name := name.strip().lower()):
            parameters.setdefault(name, quoted.replace(b'\\"', b'"') or token.strip())
    return main.strip().lower(), parameters
