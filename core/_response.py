"""The plain response that all others extend, and how responses are sent.

Header fields are bytes from the start; the common ones come from small tables. A name or value that could break out of
its line is refused with ValueError when the response is made, not when it is sent.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import anyio

from core._cookies import SameSite, expiry_date, format_cookie
from core._headers import Field, MutableHeaders, encode_header
from core._tracked_send import HoldingSend, TrackedSend
from core._utils import cancel_after, create_collapsing_task_group
from core.background import BackgroundTask
from core.types import Message, Receive, Scope, Send

Work = Callable[[], Awaitable[None]]

# From this version of the ASGI specification on, sending to a client that has gone raises OSError.
SEND_RAISES_SINCE = (2, 4)
# `scope["extensions"]` of core.server: has a function called when the client leaves, which costs less than a task that waits.
DISCONNECT_EXTENSION = "core.disconnect"


class Response:
    """A response whose whole body is known. Content is text, encoded with `charset`, or bytes."""

    media_type: str | None = None
    charset = "utf-8"

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.background = background
        self.body = body = self.render(content)
        if headers:
            self.init_headers(headers)
        else:
            self.raw_headers = [*content_headers(len(body), status_code, self.media_type, self.charset)]

    def render(self, content: Any) -> bytes | memoryview:
        """The body of this content. Classes override it."""
        if isinstance(content, str):
            return content.encode(self.charset)
        if content is None:
            return b""
        if isinstance(content, memoryview):
            return as_bytes_view(content)
        return content  # type: ignore[no-any-return]  # bytes; anything else fails when its length is taken

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Make `raw_headers`: the given ones, then content-length and content-type unless they are among them."""
        body = getattr(self, "body", None)  # There is none if it is sent piece by piece.
        length = None if body is None else len(body)
        described = content_headers(length, self.status_code, self.media_type, self.charset)
        if headers:
            given = [encode_header(name, value) for name, value in headers.items()]
            names = {name for name, _ in given}
            self.raw_headers = given + [field for field in described if field[0] not in names]
        else:
            self.raw_headers = [*described]

    @property
    def headers(self) -> MutableHeaders:
        """The header fields, as a view: changing them changes the response."""
        return MutableHeaders(raw=self.raw_headers)

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: int | None = None,
        expires: datetime.datetime | str | int | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Add a Set-Cookie field (RFC 6265). `max_age`, and `expires` if it is a number, are seconds from now."""
        attributes = {
            "Domain": domain or None,
            "expires": expiry_date(expires),
            "HttpOnly": httponly,
            "Max-Age": max_age,
            "Partitioned": partitioned,
            "Path": path,
            "SameSite": samesite,
            "Secure": secure,
        }
        self.raw_headers.append(encode_header("set-cookie", format_cookie(key, value, attributes)))

    def delete_cookie(
        self,
        key: str,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Make the client forget a cookie. Path and domain must be those it was set with."""
        self.set_cookie(key, "", 0, 0, path, domain, secure, httponly, samesite, partitioned)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            send = denial_sender(send)
        if type(send) is TrackedSend:
            # Marked once; the rest needs no tracking.
            send.response_started = True
            send = send.send
        if self.background is None and isinstance(send, HoldingSend):
            send.nothing_follows = True
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})
        if self.background is not None:
            await self.background()


def as_bytes_view(view: memoryview) -> memoryview:
    """The same bytes as a flat view whose length is their number; copied if they are scattered in memory."""
    return view.cast("B") if view.contiguous else memoryview(view.tobytes())


@lru_cache(maxsize=4096)
def content_headers(length: int | None, status_code: int, media_type: str | None, charset: str) -> tuple[Field, ...]:
    """What describes a body of that many bytes; their number goes unsaid where RFC 9110 section 8.6 forbids to name it."""
    described: list[Field] = []
    if length is not None and status_code >= 200 and status_code not in (204, 304):
        described.append(content_length(length))
    if media_type is not None:
        if media_type.startswith("text/") and "charset=" not in media_type.lower():
            media_type = f"{media_type}; charset={charset}"
        described.append(encode_header("content-type", media_type))
    return tuple(described)


def content_length(length: int) -> Field:
    return b"content-length", b"%d" % length


def spec_version(scope: Scope) -> tuple[int, ...]:
    return parse_version(scope.get("asgi", {}).get("spec_version", "2.0"))


@lru_cache(maxsize=16)
def parse_version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def denial_sender(send: Send) -> Send:
    """Sends a response in place of a websocket handshake (ASGI extension `websocket.http.response`)."""

    async def send_denial(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return send_denial


async def wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_connected(
    scope: Scope, receive: Receive, work: Work, watch: Callable[[Receive], Awaitable[None]] = wait_for_disconnect
) -> None:
    """Do the work until it is done or the client has left, which the server tells, or else the end of the watch."""
    told = scope.get("extensions", {}).get(DISCONNECT_EXTENSION)
    if told is not None:
        with anyio.CancelScope() as cancelling, told["calling"](cancelling.cancel):
            await work()
        return

    # What either raises is raised as it is, not in a group.
    async with create_collapsing_task_group() as group:
        group.start_soon(cancel_after, partial(watch, receive), group.cancel_scope)
        await cancel_after(work, group.cancel_scope)
