"""Answers that nobody may keep."""

from app.errors import is_for_programs
from core.datastructures import MutableHeaders
from core.types import ASGIApp, Message, Receive, Scope, Send


class NeverStored:
    """Sends `Cache-Control: no-store` with every answer to programs that says nothing of caches itself.

    What an API answers is somebody's data: without the header a browser or a proxy may keep it by a guess of its own
    (RFC 9111 section 4.2.2).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_for_programs(scope["path"]):
            await self.app(scope, receive, send)
            return

        async def send_unstored(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, send_unstored)
