"""Websocket connections (RFC 6455, ASGI's websocket specification)."""

from __future__ import annotations

import enum
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from core._headers import Field
from core.requests import HTTPConnection, StateT, read_json
from core.status import WS_1003_UNSUPPORTED_DATA, WS_1005_NO_STATUS_RCVD, WS_1006_ABNORMAL_CLOSURE
from core.types import Message, Receive, Scope, Send

if TYPE_CHECKING:
    from core.responses import Response

T = TypeVar("T")


class WebSocketState(enum.Enum):
    """How far one side has come; RESPONSE is that of an application refusing the handshake with a response."""

    CONNECTING = 0
    CONNECTED = 1
    DISCONNECTED = 2
    RESPONSE = 3


CONNECTING, CONNECTED, DISCONNECTED, RESPONSE = WebSocketState


class WebSocketDisconnect(Exception):
    """The connection has ended, with a close code of RFC 6455 section 7.4."""

    def __init__(self, code: int = 1000, reason: str | None = None) -> None:
        super().__init__(code, reason or "")
        self.code = code
        self.reason = reason or ""


class WebSocketDisconnected(RuntimeError):
    """The program used a connection that is not open."""


# The messages an application may send in each state, and the state that each leads to.
SENDABLE = {
    CONNECTING: {
        "websocket.accept": CONNECTED,
        "websocket.close": DISCONNECTED,
        "websocket.http.response.start": RESPONSE,
    },
    CONNECTED: {"websocket.send": CONNECTED, "websocket.close": DISCONNECTED},
    RESPONSE: {"websocket.http.response.body": DISCONNECTED},
}
# Likewise for what the client's side may send.
RECEIVABLE = {
    CONNECTING: {"websocket.connect": CONNECTED},
    CONNECTED: {"websocket.receive": CONNECTED, "websocket.disconnect": DISCONNECTED},
}


class Frames:
    """Text, bytes and JSON in messages: what both ends of a websocket can send and receive."""

    # The type of the messages that carry what is sent.
    sent_as = "websocket.send"
    send: Callable[[Message], Awaitable[None]]
    _receive_data: Callable[[str], Awaitable[str | bytes]]

    async def receive_text(self) -> str:
        """The next text message. Raises WebSocketDisconnect; a message of bytes ends the connection with 1003."""
        return cast(str, await self._receive_data("text"))

    async def receive_bytes(self) -> bytes:
        """The next binary message. Raises WebSocketDisconnect; a message of text ends the connection with 1003."""
        return cast(bytes, await self._receive_data("bytes"))

    async def receive_json(self, mode: str = "text") -> Any:
        """The next message as JSON. Raises WebSocketDisconnect, and JSONDecodeError for invalid JSON."""
        require_mode(mode)
        data = await (self.receive_text() if mode == "text" else self.receive_bytes())
        return read_json(data)

    def iter_text(self) -> AsyncIterator[str]:
        """The text messages until the connection ends."""
        return until_disconnect(self.receive_text)

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """The binary messages until the connection ends."""
        return until_disconnect(self.receive_bytes)

    def iter_json(self) -> AsyncIterator[Any]:
        """The text messages, read as JSON, until the connection ends."""
        return until_disconnect(self.receive_json)

    async def send_text(self, data: str) -> None:
        await self.send({"type": self.sent_as, "text": data})

    async def send_bytes(self, data: bytes) -> None:
        await self.send({"type": self.sent_as, "bytes": data})

    async def send_json(self, data: Any, mode: str = "text") -> None:
        require_mode(mode)
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        await (self.send_text(text) if mode == "text" else self.send_bytes(text.encode("utf-8")))


class WebSocket(Frames, HTTPConnection[StateT]):
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            raise AssertionError(f"A websocket needs a scope of type websocket, not {scope['type']}.")
        self.scope = scope
        self._receive = receive
        self._send = send
        self.client_state = self.application_state = CONNECTING

    async def receive(self) -> Message:
        """The next ASGI message. Raises WebSocketDisconnected after that of the end of the connection."""
        allowed = RECEIVABLE.get(self.client_state)
        if allowed is None:
            raise WebSocketDisconnected('Cannot call "receive" once a disconnect message has been received.')
        message = await self._receive()
        self.client_state = next_state(allowed, message)
        return message

    async def send(self, message: Message) -> None:
        """Send an ASGI message. Raises WebSocketDisconnected after the application has ended the connection."""
        allowed = SENDABLE.get(self.application_state)
        if allowed is None:
            raise WebSocketDisconnected('Cannot call "send" once a close message has been sent.')
        state = next_state(allowed, message)
        if not message.get("more_body", False):
            self.application_state = state
        try:
            await self._send(message)
        except OSError:
            self.application_state = DISCONNECTED
            raise WebSocketDisconnect(code=WS_1006_ABNORMAL_CLOSURE) from None

    async def accept(self, subprotocol: str | None = None, headers: Iterable[Field] | None = None) -> None:
        """Complete the handshake."""
        if self.client_state is CONNECTING:
            await self.receive()
        await self.send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": list(headers or ())})

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """End the connection, unless the client has. Before accept() the server answers the handshake with 403."""
        try:
            await self.send({"type": "websocket.close", "code": code, "reason": reason or ""})
        except WebSocketDisconnect:
            if self.client_state is not DISCONNECTED:
                raise

    async def send_denial_response(self, response: Response) -> None:
        """Answer the handshake with a response. Raises RuntimeError if the server does not support it."""
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            raise RuntimeError("The server doesn't support the Websocket Denial Response extension.")
        await response(self.scope, self.receive, self.send)

    async def _receive_data(self, kind: str) -> str | bytes:
        if self.application_state is not CONNECTED:
            raise WebSocketDisconnected('WebSocket is not connected. Need to call "accept" first.')
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", WS_1005_NO_STATUS_RCVD), message.get("reason"))
        data: str | bytes | None = message.get(kind)
        if data is None:
            # The client's mistake, so the end of its connection rather than an error of the program.
            await self.close(WS_1003_UNSUPPORTED_DATA)
            raise WebSocketDisconnect(WS_1003_UNSUPPORTED_DATA, f"A message of {kind} was expected.")
        return data


class WebSocketClose:
    """An application that ends every connection."""

    def __init__(self, code: int = 1000, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": self.code, "reason": self.reason})


async def until_disconnect(receive: Callable[[], Awaitable[T]]) -> AsyncIterator[T]:
    with suppress(WebSocketDisconnect):
        while True:
            yield await receive()


def next_state(allowed: dict[str, WebSocketState], message: Message) -> WebSocketState:
    state = allowed.get(message["type"])
    if state is None:
        expected = " or ".join(f'"{kind}"' for kind in allowed)
        raise RuntimeError(f"Expected ASGI message {expected}, but got {message['type']!r}.")
    return state


def require_mode(mode: str) -> None:
    if mode not in ("text", "binary"):
        raise RuntimeError('The "mode" argument should be "text" or "binary".')
