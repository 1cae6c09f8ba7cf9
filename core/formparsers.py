"""Forms: `application/x-www-form-urlencoded` (WHATWG URL section 5) and `multipart/form-data` (RFC 7578).

Limits hold while the body is read: a form that exceeds one is given up at the chunk in which it does.
"""

from __future__ import annotations

import codecs
import warnings
from collections.abc import AsyncIterator, Iterator
from enum import Enum, EnumType
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from core._multipart import Event, MultipartError, MultipartReader, PartHead, parse_parameters
from core._urls import parse_urlencoded
from core.concurrency import closing
from core.datastructures import FormData, Headers, UploadFile
from core.exceptions import StarletteDeprecationWarning

FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
# Text fields together, and files together before they go to the disk: what one form may hold in memory.
FORM_MEMORY = 16 * MEBIBYTE
# After the first, chunks smaller than this are joined before they are parsed: a body may come byte by byte.
SMALLEST_PIECE = 16 * KIBIBYTE
# Escapings of text that Python decodes by the same call. The first two take time that grows with the square of the size.
NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})


class MultiPartException(Exception):
    """The form is malformed or exceeds a limit."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class DeprecatedEnum(EnumType):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            f"`{cls.__name__}` is deprecated: it has no use any more.", StarletteDeprecationWarning, stacklevel=2
        )
        return super().__call__(*args, **kwargs)


class FormMessage(Enum, metaclass=DeprecatedEnum):
    """Deprecated, and without use: it named the events of a former parser."""

    FIELD_START, FIELD_NAME, FIELD_DATA, FIELD_END, END = range(1, 6)


class MultipartPart:
    """A part that is being read: what has come of it, unless that was written to its file already."""

    def __init__(self, field_name: str, file: UploadFile | None) -> None:
        self.field_name = field_name
        self.file = file
        self.pieces: list[bytes] = []
        self.size = 0

    def take(self) -> bytes:
        """What has come, which is not kept here any longer."""
        data = b"".join(self.pieces)
        self.pieces, self.size = [], 0
        return data


class FormParser:
    """Reads a urlencoded form. Raises MultiPartException for one that exceeds a limit.

    `max_part_size` is the number of bytes of one field, its name and value together, as they were sent.
    """

    def __init__(
        self,
        headers: Headers,
        stream: AsyncIterator[bytes],
        *,
        max_fields: int | float = 1000,
        max_part_size: int = MEBIBYTE,
    ) -> None:
        self.headers = headers
        self.stream = stream
        self.max_fields = max_fields
        self.max_part_size = max_part_size

    async def parse(self) -> FormData:
        return self.parse_body(await self.read())

    async def read(self) -> bytes:
        """The body, unless it exceeds a limit on the way."""
        chunks = []
        size = separators = open_field = 0
        async with closing(self.stream) as stream:
            async for chunk in stream:
                chunks.append(chunk)
                size += len(chunk)
                separators += chunk.count(b"&")
                last = chunk.rfind(b"&")
                open_field = open_field + len(chunk) if last < 0 else len(chunk) - last - 1
                self._require_limits(size, separators, open_field - 1)
        return b"".join(chunks)

    def parse_body(self, body: bytes) -> FormData:
        """The form of a body that has been read already."""
        separators = body.count(b"&")
        self._require_limits(len(body), separators, 0)
        if separators >= self.max_fields or len(body) > self.max_part_size:
            # Only now are the fields looked at one by one: empty ones do not count, nor does the sign between the parts.
            fields = [field for field in body.split(b"&") if field]
            longest = max((len(field) - (b"=" in field) for field in fields), default=0)
            self._require_limits(len(body), len(fields), longest)
        return FormData(parse_urlencoded(body.decode("utf-8", "replace")))

    def _require_limits(self, size: int, fields: int, longest: int) -> None:
        if fields > self.max_fields:
            raise too_many_fields(self.max_fields)
        if longest > self.max_part_size:
            raise MultiPartException(f"Field exceeded maximum size of {self.max_part_size // KIBIBYTE}KB.")
        if size > max(FORM_MEMORY, self.max_part_size):
            raise form_too_large()


class MultiPartParser:
    """Reads a multipart form. Raises MultiPartException for one that is malformed or exceeds a limit.

    A part that names a file becomes an UploadFile, in memory up to `spool_max_size` bytes and on disk beyond; all
    others are text, of at most `max_part_size` bytes each.
    """

    spool_max_size = MEBIBYTE
    max_part_size = MEBIBYTE

    def __init__(
        self,
        headers: Headers,
        stream: AsyncIterator[bytes],
        *,
        max_files: int | float = 1000,
        max_fields: int | float = 1000,
        max_part_size: int = MEBIBYTE,
    ) -> None:
        self.headers = headers
        self.stream = stream
        self.max_files = max_files
        self.max_fields = max_fields
        self.max_part_size = max_part_size
        self.items: list[tuple[str, str | UploadFile]] = []
        self._files: list[BinaryIO] = []
        self._fields = self._text_memory = self._file_memory = 0
        self._part: MultipartPart
        # A part smaller than this is within the limits and has its place in memory.
        self._large = min(self.spool_max_size, max_part_size)

    async def parse(self, body: bytes | None = None) -> FormData:
        """Read the stream, or take a body that has been read already."""
        _, parameters = parse_parameters(self.headers.get("content-type", "").encode("latin-1"))
        self._charset = known_charset(parameters[b"charset"]) if b"charset" in parameters else "utf-8"
        if b"boundary" not in parameters:
            raise MultiPartException("Missing boundary in multipart.")
        try:
            reader = MultipartReader(parameters[b"boundary"])
            if body is None:
                await self._read_parts(reader)
            else:
                await self._take_events(reader.feed(body))
            reader.finish()
        except BaseException as error:
            # Also for a cancelled request: its files must not wait for the garbage collector.
            for file in self._files:
                file.close()
            if isinstance(error, MultipartError):
                raise MultiPartException("Invalid multipart data.") from None
            raise
        return FormData(self.items)

    async def _read_parts(self, reader: MultipartReader) -> None:
        waiting: list[bytes] = []
        size = enough = 0
        async with closing(self.stream) as stream:
            async for chunk in stream:
                waiting.append(chunk)
                size += len(chunk)
                if size >= enough:
                    await self._take_events(reader.feed(b"".join(waiting)))
                    waiting.clear()
                    size, enough = 0, SMALLEST_PIECE
        await self._take_events(reader.feed(b"".join(waiting)))

    async def _take_events(self, events: Iterator[Event]) -> None:
        for event in events:
            if event is None:
                await self._finish_part(self._part)
            elif isinstance(event, bytes):
                part = self._part
                part.pieces.append(event)
                part.size += len(event)
                if part.size >= self._large:
                    await self._take_large(part)
            else:
                self._start_part(event)

    def _start_part(self, head: PartHead) -> None:
        if head.name is None:
            raise MultiPartException('The Content-Disposition header field "name" must be provided.')
        file = None if head.filename is None else self._open_file(head.filename, head)
        self._part = MultipartPart(self._decode(head.name), file)
        self._fields += file is None
        if self._fields > self.max_fields:
            raise too_many_fields(self.max_fields)

    def _open_file(self, filename: bytes, head: PartHead) -> UploadFile:
        if len(self._files) >= self.max_files:
            raise MultiPartException(f"Too many files. Maximum number of files is {self.max_files}.")
        # A thousand files just below the limit would fill a gigabyte: with the memory used up they go to the disk.
        spool_size = self.spool_max_size if self._text_memory + self._file_memory < FORM_MEMORY else 1
        file = cast(BinaryIO, SpooledTemporaryFile(max_size=spool_size))  # noqa: SIM115 - closed with the form
        self._files.append(file)
        return UploadFile(file, size=0, filename=self._decode(filename), headers=Headers(raw=[*head.headers]))

    async def _take_large(self, part: MultipartPart) -> None:
        if part.file is not None:
            await part.file.write(part.take())
        elif part.size > self.max_part_size:
            raise MultiPartException(f"Part exceeded maximum size of {self.max_part_size // KIBIBYTE}KB.")

    async def _finish_part(self, part: MultipartPart) -> None:
        data = part.take()
        if part.file is None:
            self._text_memory += len(data)
            if self._text_memory > max(FORM_MEMORY, self.max_part_size):
                raise form_too_large()
            self.items.append((part.field_name, self._decode(data)))
            return
        self._file_memory += len(data)
        if part.file.is_in_memory(len(data)):
            # The same as below for most files, without waiting for what takes no time.
            part.file.size = (part.file.size or 0) + part.file.file.write(data)
            part.file.file.seek(0)
        else:
            await part.file.write(data)
            await part.file.seek(0)
        self.items.append((part.field_name, part.file))

    def _decode(self, text: bytes) -> str:
        try:
            return text.decode(self._charset)
        except UnicodeDecodeError:
            return text.decode("latin-1")


def known_charset(name: bytes) -> str:
    """The charset if Python has one of that name, else latin-1, which can decode everything."""
    charset = name.decode("latin-1")
    try:
        "".encode(charset)
        return "latin-1" if codecs.lookup(charset).name in NO_CHARSETS else charset
    except (LookupError, ValueError):
        return "latin-1"


def too_many_fields(limit: int | float) -> MultiPartException:
    return MultiPartException(f"Too many fields. Maximum number of fields is {limit}.")


def form_too_large() -> MultiPartException:
    return MultiPartException(f"Form exceeded maximum size of {FORM_MEMORY // KIBIBYTE}KB.")
