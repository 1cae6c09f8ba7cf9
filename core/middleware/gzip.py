"""Compresses responses for clients that accept gzip."""

import zlib
from collections.abc import Awaitable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, ClassVar

import anyio.to_thread
from anyio.lowlevel import RunVar

from core._accept import accepted_encodings
from core._headers import add_vary, media_type_of
from core.datastructures import MutableHeaders
from core.types import ASGIApp, Message, Receive, Scope, Send

# What is compressed already, and event streams, whose events are to leave at once.
DEFAULT_EXCLUDED_CONTENT_TYPES = (
    *("application/grpc", "application/gzip", "application/x-gzip", "application/zip"),
    *("audio/*", "font/woff", "font/woff2", "text/event-stream", "video/*"),
    *("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp"),
)

THREADS = 40
GZIP = ("gzip",)
GZIP_FORMAT = 16 + zlib.MAX_WBITS

# Compression has threads of its own, so that it cannot use up those of the endpoints.
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("core.middleware.gzip.limiter")


@dataclass(eq=False)
class _Compression:
    app: ASGIApp
    minimum_size: int = 500
    compresslevel: int = 9
    thread_minimum_size: int = 128 * 1024
    _: KW_ONLY
    exclude_content_types: Sequence[str] = DEFAULT_EXCLUDED_CONTENT_TYPES


class GZipMiddleware(_Compression):
    """Compresses responses of at least `minimum_size` bytes, unless their type is among `exclude_content_types`.

    A type ending in `/*` stands for all its subtypes. `compresslevel` is zlib's, 0 to 9. Parts of at least
    `thread_minimum_size` bytes are compressed in a thread; smaller ones cost less than the hop.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kind = GZipResponder if accepted_encodings(scope["headers"], GZIP) else IdentityResponder
            await kind(**vars(self))(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class IdentityResponder(_Compression):
    """One response left as it is, but for `Vary`, which tells caches that others may get it compressed.

    Unless its headers say whether it is worth compressing, the start message is held back for the first part of the body.
    """

    coding: ClassVar[str | None] = None  # The content coding, as the headers name it.
    _compressor: Any = None  # zlib does not export the class; it takes 256 KiB, so it is made on first use.
    _held_start: Message | None = None
    _passes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.outer_send = send
        await self.app(scope, receive, self.send)

    def send(self, message: Message) -> Awaitable[None]:
        if not self._passes and message["type"] == "http.response.start" and self._gains_nothing(message):
            self._passes = True
        return self.outer_send(message) if self._passes else self._take(message)

    async def encode(self, body: bytes, more_body: bool) -> bytes:
        """Return the part of the body in its content coding."""
        return body

    def _gains_nothing(self, start: Message) -> bool:
        # Ranges of a compressed file are not ranges of the file.
        if start["status"] == 206:
            return True
        for name, value in start.setdefault("headers", []):
            if name == b"content-length" and value.isdigit() and int(value[:19]) < self.minimum_size:
                return True
            if name == b"content-encoding":
                return True
            if name == b"content-type" and _is_excluded(value, tuple(self.exclude_content_types)):
                return True
        return False

    async def _take(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._held_start = message
            return
        body, more_body = message.get("body", b""), message.get("more_body", False)
        start, self._held_start = self._held_start, None
        is_small = start is not None and not more_body and len(body) < self.minimum_size
        self._passes = kind == "http.response.pathsend" or is_small
        if kind == "http.response.body" and not is_small:
            message = {**message, "body": await self.encode(body, more_body)}
            if start is not None:
                self._describe(start, None if more_body else len(message["body"]))
        if start is not None:
            await self.outer_send(start)
        await self.outer_send(message)

    def _describe(self, start: Message, length: int | None) -> None:
        add_vary(start, b"Accept-Encoding")
        if self.coding is not None:
            headers = MutableHeaders(raw=start["headers"])
            headers["content-encoding"] = self.coding
            # A response with trailers is sent in chunks, which excludes a length (RFC 9112 section 6.2).
            del headers["content-length"]
            if length is not None and not start.get("trailers"):
                headers["content-length"] = str(length)


class GZipResponder(IdentityResponder):
    """One response compressed. Each part of a streamed body is flushed, so that it arrives when it was sent."""

    coding = "gzip"

    async def encode(self, body: bytes, more_body: bool) -> bytes:
        if len(body) < self.thread_minimum_size:
            return self._compress(body, more_body)
        return await anyio.to_thread.run_sync(self._compress, body, more_body, limiter=_compression_limiter())

    def _compress(self, body: bytes, more_body: bool) -> bytes:
        if self._compressor is None:
            self._compressor = zlib.compressobj(self.compresslevel, zlib.DEFLATED, GZIP_FORMAT)
        flush = zlib.Z_SYNC_FLUSH if more_body else zlib.Z_FINISH
        return bytes(self._compressor.compress(body) + self._compressor.flush(flush))


@lru_cache(maxsize=256)
def _is_excluded(content_type: bytes, excluded: tuple[str, ...]) -> bool:
    media_type = media_type_of(content_type.decode("latin-1"))
    # "application/grpc+proto" is a kind of "application/grpc", and all "video/…" of "video/*".
    kinds = media_type, media_type.partition("+")[0], f"{media_type.partition('/')[0]}/*"
    return not {media_type_of(name) for name in excluded}.isdisjoint(kinds)


def _compression_limiter() -> anyio.CapacityLimiter:
    limiter = _limiter.get(None) or anyio.CapacityLimiter(THREADS)
    _limiter.set(limiter)
    return limiter
