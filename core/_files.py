"""Files as responses: whole, in ranges (RFC 9110 section 14), or handed to the server by their path."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from mimetypes import guess_type
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import anyio
import anyio.to_thread

from core._headers import Headers, MutableHeaders, RawHeaders, encode_header
from core._response import SEND_RAISES_SINCE, Response, content_length, denial_sender, spec_version, while_connected
from core.background import BackgroundTask
from core.types import Receive, Scope, Send

ACCEPT_RANGES = b"accept-ranges", b"bytes"
CHUNKS_READ_AHEAD = 4
# Offsets in a file: from the first byte up to, not including, the last.
Range = tuple[int, int]


class MalformedRangeHeader(Exception):
    """The Range header cannot be read. Answered with 400."""

    def __init__(self, content: str = "Malformed range header.") -> None:
        super().__init__(content)
        self.content = content


class RangeNotSatisfiable(Exception):
    """A range starts behind the end of the file, which has `max_size` bytes. Answered with 416."""

    def __init__(self, max_size: int) -> None:
        super().__init__(max_size)
        self.max_size = max_size


class Plan(NamedTuple):
    """What will be sent: parts are bytes as they are, or ranges of the file."""

    status_code: int
    headers: RawHeaders
    parts: Sequence[bytes | Range]


class FileResponse(Response):
    """Sends a file. Given header fields win over those made from the file; the object may be sent many times.

    A file of at most `chunk_size` bytes is looked up and read in one visit to a worker thread. Raises RuntimeError
    when it is sent and the path is not that of a regular file.
    """

    chunk_size = 64 * 1024
    max_ranges = 100

    def __init__(
        self,
        path: str | os.PathLike[str],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
        filename: str | None = None,
        stat_result: os.stat_result | None = None,
        content_disposition_type: str = "attachment",
    ) -> None:
        self.path = path
        self.status_code = status_code
        self.filename = filename
        self.media_type = media_type or guess_type(filename or path)[0] or "application/octet-stream"
        self.background = background
        self.stat_result = stat_result
        # The whole content, given by who has read the file already; it belongs to `stat_result`.
        self.content: bytes | None = None
        self.init_headers(headers)
        if filename is not None:
            self.headers.setdefault("content-disposition", content_disposition(content_disposition_type, filename))
        if stat_result is None:
            add_missing(self.raw_headers, [ACCEPT_RANGES])
        else:
            self.set_stat_headers(stat_result)

    def copy(self) -> FileResponse:
        """Another one of the same file, whose headers and status can be changed."""
        response = FileResponse.__new__(FileResponse)
        response.__dict__ = {**self.__dict__, "raw_headers": self.raw_headers[:]}
        return response

    def set_stat_headers(self, stat_result: os.stat_result) -> None:
        add_missing(self.raw_headers, file_headers(stat_result.st_mtime, stat_result.st_size))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.content is not None and scope.get("method") == "GET" and b"range" not in dict(scope["headers"]):
            # Nothing needs to be looked up or planned.
            self.body = self.content
            await super().__call__(scope, receive, send)
            return
        if scope["type"] == "websocket":
            send = denial_sender(send)
        await self._answer(scope, receive, send)
        if self.background is not None:
            await self.background()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_head = scope["type"] == "http" and scope["method"].upper() == "HEAD"
        can_pass_path = "http.response.pathsend" in scope.get("extensions", {})
        stat_result, content = self.stat_result, self.content
        if stat_result is None or content is None:
            stat_result, content = await self._look_up(0 if is_head or can_pass_path else self.chunk_size)
        plan = self._plan(scope, stat_result)
        if is_head:
            await send_whole(send, plan, b"")
        elif can_pass_path and plan.status_code == self.status_code:
            await send({"type": "http.response.start", "status": plan.status_code, "headers": plan.headers})
            path = Path(self.path).absolute()  # noqa: ASYNC240 - asks for the working directory alone
            await send({"type": "http.response.pathsend", "path": str(path)})
        elif content is not None or not any(isinstance(part, tuple) for part in plan.parts):
            await send_whole(send, plan, b"".join([take(part, content or b"") for part in plan.parts]))
        else:
            await self._stream(scope, receive, send, plan)

    async def _look_up(self, limit: int) -> tuple[os.stat_result, bytes | None]:
        if self.stat_result is not None and self.stat_result.st_size > limit:
            return self.stat_result, None
        return await anyio.to_thread.run_sync(look_up, self.path, self.stat_result, limit)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, plan: Plan) -> None:
        if scope["type"] == "websocket" or spec_version(scope) >= SEND_RAISES_SINCE:
            await self._send_parts(send, plan)
        else:
            await while_connected(scope, receive, partial(self._send_parts, send, plan))

    async def _send_parts(self, send: Send, plan: Plan) -> None:
        file = await anyio.open_file(self.path, "rb")
        try:
            await send({"type": "http.response.start", "status": plan.status_code, "headers": plan.headers})
            for part in plan.parts:
                is_last = part is plan.parts[-1]
                if isinstance(part, bytes):
                    await send({"type": "http.response.body", "body": part, "more_body": not is_last})
                else:
                    await self._send_range(send, file, part, is_last)
        finally:
            # Not awaited, so that a cancelled response closes its file as well.
            file.wrapped.close()

    async def _send_range(self, send: Send, file: anyio.AsyncFile[bytes], part: Range, is_last: bool) -> None:
        position, end = part
        await file.seek(position)
        while position < end:
            # One visit to a thread fetches several chunks.
            block = await file.read(min(self.chunk_size * CHUNKS_READ_AHEAD, end - position))
            if not block:
                raise RuntimeError(f"File at path {self.path} is shorter than expected.")
            for start in range(0, len(block), self.chunk_size):
                chunk = block[start : start + self.chunk_size]
                position += len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": position < end or not is_last})

    def _plan(self, scope: Scope, stat_result: os.stat_result) -> Plan:
        size = stat_result.st_size
        headers = MutableHeaders(raw=list(self.raw_headers))
        if self.stat_result is None:
            add_missing(headers.raw, file_headers(stat_result.st_mtime, size))
        wanted = self._wanted_ranges(scope, headers)
        try:
            ranges = parse_ranges(wanted, size, self.max_ranges) if wanted is not None else []
        except MalformedRangeHeader as error:
            return refusal(400, error.content)
        except RangeNotSatisfiable as error:
            return refusal(416, "", {"content-range": f"bytes */{error.max_size}"})
        if not ranges:
            return Plan(self.status_code, headers.raw, [(0, size)])
        if len(ranges) == 1:
            return single_range(headers, ranges[0], size)
        return self._several_ranges(headers, ranges, size)

    def _wanted_ranges(self, scope: Scope, headers: Headers) -> str | None:
        """The Range header, if it applies (RFC 9110 sections 14.2 and 13.1.5)."""
        if scope["type"] != "http" or scope["method"].upper() not in ("GET", "HEAD") or self.status_code != 200:
            return None
        request_headers = Headers(raw=scope["headers"])
        wanted: str | None = request_headers.get("range")
        validator = request_headers.get("if-range") if wanted is not None else None
        if validator is None or validator in (headers["last-modified"], strong_tag(headers["etag"])):
            return wanted
        return None

    def _several_ranges(self, headers: MutableHeaders, ranges: list[Range], size: int) -> Plan:
        boundary = os.urandom(13).hex()
        length, part_header = self.generate_multipart(ranges, boundary, size, headers["content-type"])
        headers["content-type"] = f"multipart/byteranges; boundary={boundary}"
        headers["content-length"] = str(length)
        parts: list[bytes | Range] = []
        for part in ranges:
            parts += [part_header(*part), part, b"\r\n"]
        return Plan(206, headers.raw, [*parts, f"--{boundary}--".encode("latin-1")])

    def generate_multipart(
        self, ranges: Sequence[Range], boundary: str, max_size: int, content_type: str
    ) -> tuple[int, Callable[[int, int], bytes]]:
        """The length in bytes of a multipart/byteranges body, and a function that gives the head of a range's part."""

        def part_header(start: int, end: int) -> bytes:
            return (
                f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: bytes {start}-{end - 1}/{max_size}\r\n\r\n"
            ).encode("latin-1")

        parts = sum(len(part_header(start, end)) + end - start + len("\r\n") for start, end in ranges)
        return parts + len(f"--{boundary}--"), part_header


def look_up(
    path: str | os.PathLike[str], stat_result: os.stat_result | None, limit: int
) -> tuple[os.stat_result, bytes | None]:
    """The file's status, and its content if that has at most `limit` bytes. Blocks."""
    if stat_result is None:
        try:
            stat_result = Path(path).stat()
        except FileNotFoundError:
            raise RuntimeError(f"File at path {path} does not exist.") from None
    if not stat.S_ISREG(stat_result.st_mode):
        raise RuntimeError(f"File at path {path} is not a file.")
    if stat_result.st_size > limit or not limit:
        return stat_result, None
    with Path(path).open("rb") as file:
        content = file.read(stat_result.st_size)
    if len(content) < stat_result.st_size:
        raise RuntimeError(f"File at path {path} is shorter than expected.")
    return stat_result, content


def take(part: bytes | Range, content: bytes) -> bytes:
    if isinstance(part, bytes):
        return part
    start, end = part
    return content if start == 0 and end == len(content) else content[start:end]


async def send_whole(send: Send, plan: Plan, body: bytes) -> None:
    await send({"type": "http.response.start", "status": plan.status_code, "headers": plan.headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def add_missing(headers: RawHeaders, fields: Iterable[tuple[bytes, bytes]]) -> None:
    given = dict(headers)
    headers += [field for field in fields if field[0] not in given]


@lru_cache(maxsize=1024)
def file_headers(modified_at: float, size: int) -> RawHeaders:
    # Imported with the first file: together they take a tenth of the time that importing core does.
    import hashlib
    from email.utils import formatdate

    digest = hashlib.md5(f"{modified_at}-{size}".encode(), usedforsecurity=False).hexdigest()
    return [
        ACCEPT_RANGES,
        content_length(size),
        encode_header("last-modified", formatdate(modified_at, usegmt=True)),
        encode_header("etag", f'"{digest}"'),
    ]


def strong_tag(tag: str) -> str | None:
    # A weak tag does not promise the same bytes, so that parts of two versions could be joined (RFC 9110 section 8.8.3).
    return None if tag.startswith("W/") else tag


def content_disposition(kind: str, filename: str) -> str:
    """The header field of RFC 6266, with the name as a quoted string or, if that cannot hold it, in UTF-8."""
    quoted = quote(filename, safe="")
    return f"{kind}; filename*=utf-8''{quoted}" if quoted != filename else f'{kind}; filename="{filename}"'


def refusal(status_code: int, content: str, headers: Mapping[str, str] | None = None) -> Plan:
    response = Response(content, status_code, headers, media_type="text/plain")
    return Plan(status_code, response.raw_headers, [bytes(response.body)])


def single_range(headers: MutableHeaders, part: Range, size: int) -> Plan:
    start, end = part
    headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    headers["content-length"] = str(end - start)
    return Plan(206, headers.raw, [part])


def parse_ranges(header: str, size: int, most: int) -> list[Range]:
    """The wanted ranges in order, those that touch joined. Empty, which means the whole file, for too many of them.

    Raises MalformedRangeHeader, and RangeNotSatisfiable for one that starts behind the end. Sorting and one pass: the
    time does not grow with the square of their number (CVE-2025-62727).
    """
    unit, _, text = header.partition("=")
    if unit.strip().lower() != "bytes":
        raise MalformedRangeHeader("Only support bytes range")
    if text.count(",") >= most:
        return []
    ranges = [found for item in text.split(",") if (found := parse_range(item.strip(), size)) is not None]
    if not ranges:
        raise MalformedRangeHeader("Range header: range must be requested")
    if any(start >= size for start, _ in ranges):
        raise RangeNotSatisfiable(size)
    if any(start >= end for start, end in ranges):
        raise MalformedRangeHeader("Range header: start must be less than end")
    return joined(sorted(ranges))


def parse_range(text: str, size: int) -> Range | None:
    first, dash, last = text.partition("-")
    first, last = first.strip(), last.strip()
    if not dash or not (first or last) or not all(part.isascii() and part.isdigit() for part in (first, last) if part):
        return None
    if not first:
        return max(size - as_offset(last), 0), size
    return as_offset(first), min(as_offset(last) + 1, size) if last else size


def as_offset(digits: str) -> int:
    # No file is as long as this; converting more digits would be work for nothing, and past 4300 an error.
    return int(digits) if len(digits) <= 18 else 10**18


def joined(ranges: Sequence[Range]) -> list[Range]:
    result = [ranges[0]]
    for start, end in ranges[1:]:
        last_start, last_end = result[-1]
        if start <= last_end:
            result[-1] = (last_start, max(last_end, end))
        else:
            result.append((start, end))
    return result
