"""The end of a web process: it says so first, so that nobody is sent to it any more, and ends when everybody has heard.

From SIGTERM on, `/readyz` answers 503 and every answer closes its connection, for DRAIN_SECONDS; requests are still taken and
answered. Then the server stops listening and finishes what has begun. Without the pause, a load balancer goes on sending
requests to a socket that is gone, and a client's next request meets a kept connection just as it is closed.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from core.types import ASGIApp, Message, Receive, Scope, Send


class Drain:
    """Whether this process is about to end."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.has_begun = False

    @contextmanager
    def begun_by_sigterm(self) -> Iterator[None]:
        """Within the block, the server hears of SIGTERM only after the pause; of a second one at once.

        Does nothing where no server handles the signal, as in tests.
        """
        tell_server = signal.getsignal(signal.SIGTERM)
        if not callable(tell_server) or threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def begin(number: int, frame: FrameType | None) -> None:
            seconds = 0 if self.has_begun else self._seconds
            self.has_begun = True
            loop.call_soon_threadsafe(loop.call_later, seconds, tell_server, number, None)

        signal.signal(signal.SIGTERM, begin)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, tell_server)


class DrainMiddleware:
    """While the process drains (`app.state.drain`), every answer closes its connection."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["app"].state.drain.has_begun or scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self.app(scope, receive, send_and_close)
