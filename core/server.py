"""The server's protocol class: uvicorn's HTTP, bounded in size, number and time, and faster.

    uvicorn app.main:app --http core.server:BoundedProtocol

No middleware can refuse a head that is still arriving, or a client that sends a byte a minute: this class does, before a task
or a scope exists. Everything else is uvicorn's: its settings, its websocket protocols, its logs, its graceful shutdown.

    class Uploads(BoundedProtocol):
        limits = Limits(body_bytes=4 * 1024**3)
"""

from __future__ import annotations

from core._server.connection import Connection
from core._server.limits import Limits

__all__ = ["BoundedProtocol", "Limits"]


class BoundedProtocol(Connection):
    """An HTTP/1.1 protocol of httptools for uvicorn's `http` setting.

    It answers 400 for what is ambiguous (`Host`, framing, targets), 408 for a request that takes too long, 413, 414 and 431
    for one that is too large, and 503 above `limit_concurrency`. `limits` may be replaced in a subclass.
    """
