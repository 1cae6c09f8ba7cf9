"""Calls an ASGI application directly with one request, again and again, and looks at the answer once."""

import asyncio
from typing import Any

from benchmarks.scenarios import Scenario

# The given and the wanted status where a peer has no such page, or no conditional answer.
ABSENT = {(404, 200), (200, 304)}
MESSAGES = 100  # How many messages a websocket carries; the handshake's cost is divided among them.


class WrongAnswer(Exception):
    """The application did not do the work."""


class NoSuchPage(WrongAnswer):
    """The peer has nothing of this kind."""


def call_of(app: Any, scenario: Scenario) -> "Request | WebSocket":
    return WebSocket(app, scenario) if scenario.kind == "websocket" else Request(app, scenario)


class Call:
    """What requests and websockets have in common."""

    def __init__(self, app: Any, scenario: Scenario) -> None:
        self.app = app
        self.scenario = scenario
        self.headers = [(b"host", b"localhost"), (b"accept", b"*/*"), (b"user-agent", b"benchmark")]
        self.headers += [(name.encode(), value.encode()) for name, value in scenario.headers]
        if scenario.body and scenario.kind == "http":
            self.headers.append((b"content-length", str(len(scenario.body)).encode()))

    def scope(self) -> dict[str, Any]:
        scope = {
            "type": self.scenario.kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "path": self.scenario.path,
            "raw_path": self.scenario.path.encode(),
            "query_string": self.scenario.query.encode(),
            "root_path": "",
            "headers": list(self.headers),
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        if self.scenario.kind == "websocket":
            return {**scope, "scheme": "ws", "subprotocols": []}
        return {**scope, "scheme": "http", "method": self.scenario.method}


class Request(Call):
    """One request at a time. As under a server, a second `receive` waits until the response has been sent."""

    def __init__(self, app: Any, scenario: Scenario) -> None:
        super().__init__(app, scenario)
        self.content = {"type": "http.request", "body": scenario.body, "more_body": False}
        self.unread = True
        self.sent: asyncio.Future[None] | None = None
        self.status = 0
        self.answer: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def perform(self, send: Any = None, times: int = 1) -> int:
        """Returns how many requests were made. There is little besides the calls, since it is measured too."""
        app, receive, send, scope, headers = self.app, self.receive, send or self.drop, self.scope(), self.headers
        for _ in range(times):
            self.unread, self.sent = True, None
            await app({**scope, "headers": headers[:], "state": {}}, receive, send)
        return times

    async def receive(self) -> dict[str, Any]:
        if self.unread:
            self.unread = False
            return self.content.copy()
        self.sent = asyncio.get_running_loop().create_future()
        await self.sent
        return {"type": "http.disconnect"}

    async def drop(self, message: Any) -> None:
        if self.sent is None or message["type"] == "http.response.start" or message.get("more_body"):
            return
        if not self.sent.done():
            self.sent.set_result(None)

    async def keep(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.answer, self.body = message["status"], list(message.get("headers", ())), b""
        else:
            self.body += message.get("body", b"")
        await self.drop(message)

    async def prove(self) -> None:
        """Look at the answer; where the scenario needs it, bring back the cookie or the validator of an earlier one."""
        await self.perform(self.keep)
        headers = {name.lower(): value for name, value in self.answer}
        if "session" in self.scenario.options and b"set-cookie" in headers:
            self.headers.append((b"cookie", headers[b"set-cookie"].split(b";")[0]))
        if self.scenario.conditional and self.status == 200:
            self.headers.append(_condition(headers))
        await self.perform(self.keep)
        if (self.status, self.scenario.status) in ABSENT:
            raise NoSuchPage
        if self.status != self.scenario.status or self.scenario.expected not in _compact(self.body):
            raise WrongAnswer(f"{self.status} {self.body[:200]!r}")


def _condition(headers: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    if b"etag" in headers:
        return b"if-none-match", headers[b"etag"]
    return b"if-modified-since", headers.get(b"last-modified", b"")


def _compact(body: bytes) -> bytes:
    """JSON with and without spaces is equally right."""
    return body.replace(b'": ', b'":')


class WebSocket(Call):
    """A websocket of 100 messages; the next one comes when the last one has come back."""

    async def perform(self) -> int:
        """Returns how many messages came back."""
        self.connected = False
        self.given = self.returned = 0
        self.echoed: asyncio.Future[None] | None = None
        await self.app(self.scope(), self.receive, self.take)
        return self.returned

    async def receive(self) -> dict[str, Any]:
        if not self.connected:
            self.connected = True
            return {"type": "websocket.connect"}
        if self.given > self.returned:
            self.echoed = asyncio.get_running_loop().create_future()
            await self.echoed
        if self.given == MESSAGES:
            return {"type": "websocket.disconnect", "code": 1000, "reason": ""}
        self.given += 1
        return {"type": "websocket.receive", "text": self.scenario.body.decode()}

    async def take(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.returned += 1
            self.last = message.get("text") or message.get("bytes")
        if self.echoed is not None and not self.echoed.done():
            self.echoed.set_result(None)

    async def prove(self) -> None:
        if await self.perform() != MESSAGES or self.last != self.scenario.expected.decode():
            raise WrongAnswer(f"{self.returned} of {MESSAGES} messages came back.")
