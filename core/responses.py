"""Responses: ASGI applications that answer with what they hold."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast
from urllib.parse import quote

from core._files import FileResponse as FileResponse
from core._files import MalformedRangeHeader as MalformedRangeHeader
from core._files import RangeNotSatisfiable as RangeNotSatisfiable
from core._response import SEND_RAISES_SINCE, denial_sender, spec_version, wait_for_disconnect, while_connected
from core._response import Response as Response
from core._tracked_send import TrackedSend
from core.background import BackgroundTask
from core.concurrency import closing, iterate_in_threadpool, send_from_threads
from core.datastructures import URL
from core.exceptions import REASON_PHRASES, HTTPException
from core.requests import ClientDisconnect
from core.types import Message, Receive, Scope, Send

Content = str | bytes | memoryview
SyncContentStream = Iterable[Content]
AsyncContentStream = AsyncIterable[Content]
ContentStream = AsyncContentStream | SyncContentStream

STANDARD_DUMPS = json.dumps
JSON_FORMAT: dict[str, Any] = {"ensure_ascii": False, "allow_nan": False, "separators": (",", ":")}


def one_encoder() -> Callable[[Any, int], Iterable[str]] | None:
    """The encoder in C that `json.dumps` makes at each call, which takes longer than encoding a small value."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)  # Only CPython has it.
    encoder = json.JSONEncoder(**JSON_FORMAT)
    string: Any = json.encoder.encode_basestring
    return make and make(None, encoder.default, string, None, ":", ",", False, False, False)  # type: ignore[no-any-return]


ENCODE = one_encoder()


class HTMLResponse(Response):
    media_type = "text/html"


class PlainTextResponse(Response):
    media_type = "text/plain"


def refusal(scope: Scope, status_code: int, headers: Mapping[str, str] | None = None) -> Response:
    """What answers outside an application. Inside one it raises HTTPException, whose handlers then answer."""
    if "app" in scope:
        raise HTTPException(status_code, headers=headers)
    return PlainTextResponse(REASON_PHRASES[status_code], status_code, headers)


class JSONResponse(Response):
    """JSON without needless spaces. Raises ValueError for NaN and infinities, which JSON has not (RFC 8259)."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        # Looked up at each call, because programs replace `json.dumps` to teach it more types.
        try:
            if ENCODE is not None and json.dumps is STANDARD_DUMPS:
                return "".join(ENCODE(content, 0)).encode("utf-8")
        except RecursionError:
            pass  # A value that contains itself: `json.dumps` says so.
        return json.dumps(content, **JSON_FORMAT).encode("utf-8")


class RedirectResponse(Response):
    def __init__(
        self,
        url: str | URL,
        status_code: int = 307,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(b"", status_code, headers, background=background)
        self.headers["location"] = quote(str(url), safe=":/%#?=@[]!$&'()*+,;")


class StreamingResponse(Response):
    """A response whose body comes piece by piece, from an async iterable or from a blocking one.

    If the client leaves, the stream ends: sending raises ClientDisconnect where the server reports it (ASGI 2.4),
    otherwise the stream is cancelled. The background task runs only in the latter case and after a complete response.
    """

    body_iterator: AsyncIterable[Content]
    _threaded_iterator: AsyncIterable[Content] | None = None

    def __init__(
        self,
        content: ContentStream,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self._content = cast(Any, content)  # What it has tells the checker nothing.
        if hasattr(content, "__aiter__"):  # Asking whether it is an AsyncIterable takes ten times as long.
            self.body_iterator = self._content
        else:
            self.body_iterator = self._threaded_iterator = iterate_in_threadpool(self._content)
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.background = background
        self.init_headers(headers)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        await wait_for_disconnect(receive)

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if type(send) is TrackedSend:
            # It knows now that the response has begun; the chunks need no tracking.
            send = send.send
        if self.body_iterator is self._threaded_iterator:
            await send_from_threads(self._content, lambda chunk: send(self._message(chunk)))
        else:
            try:
                async for chunk in self.body_iterator:
                    # Written out for bytes: a call for each chunk would cost as much as all the rest of the loop.
                    if chunk.__class__ is bytes:
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    else:
                        await send(self._message(chunk))
            except BaseException:
                # Closed at once if sending fails: its `finally` must not wait for the garbage collector.
                async with closing(self.body_iterator):
                    raise
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _message(self, chunk: Content) -> Message:
        body = chunk.encode(self.charset) if isinstance(chunk, str) else chunk
        return {"type": "http.response.body", "body": body, "more_body": True}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.stream_response(denial_sender(send))
        elif spec_version(scope) >= SEND_RAISES_SINCE:
            try:
                await self.stream_response(send)
            except OSError:
                raise ClientDisconnect() from None
        else:
            await while_connected(scope, receive, partial(self.stream_response, send), self.listen_for_disconnect)
        if self.background is not None:
            await self.background()
