"""The server's side of a websocket: uvicorn's, which can also write a frame at once.

An event for a thousand connections is one frame, made once, and a thousand calls of `write_frame`, with no task woken for it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from core.websockets import WebSocket

WRITE_FRAME = "write_frame"


class DirectProtocol(WebSocketsSansIOProtocol):
    """For uvicorn's `ws` setting, without compression, which would need each connection's own state for a frame."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, WRITE_FRAME: self.write_frame}, _loop)
        self._line: asyncio.Transport | None = None
        self._is_full = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._line = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._line = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        self._is_full = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._is_full = False
        super().resume_writing()

    def shutdown(self) -> None:
        self._line = None  # The close frame is the last (RFC 6455, section 5.5.1).
        super().shutdown()

    def write_frame(self, frame: bytes) -> bool:
        """Write it, unless the client takes too little for that, or the end has begun: whether it was written."""
        if self._is_full or self._line is None or self._line.is_closing():
            return False
        self._line.write(frame)
        return True


def frame_writer(websocket: WebSocket) -> Callable[[bytes], bool] | None:
    """`write_frame` of the websocket's connection; other servers have none."""
    found: Callable[[bytes], bool] | None = websocket.scope.get("state", {}).get(WRITE_FRAME)
    return found
