"""The load: asks one server the same thing on several connections, and answers with the requests per second.

`python -m benchmarks.load` reads lines of "port process seconds scenario", and answers twice: requests per second, and
requests per second of CPU time that the server's process has used, which other work on the machine disturbs less.

Connections are kept alive; each asks again when it has its answer. Every answer's status is looked at, and the first one's body.
"""

import asyncio
import math
import re
import sys
import time
from collections.abc import Callable
from typing import cast

import uvloop

from benchmarks.answering import answer_lines
from benchmarks.calls import NoSuchPage, WrongAnswer
from benchmarks.scenarios import BY_NAME, Scenario

CONNECTIONS = 16
MOST_REQUESTS = 100_000  # In one measurement.
SECONDS_TO_FINISH = 8
CPU_CLOCK = 2  # Linux's clock of a process with nanoseconds.
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
LAST_CHUNK = b"\r\n0\r\n\r\n"
MASKED_TEXT = 0x81, 0x80  # RFC 6455 section 5.2: a final text frame; the client's mask bit.


class Run:
    """One measurement: how many answers came until it was over."""

    def __init__(self) -> None:
        self.answers = 0
        self.over = False

    def count(self) -> bool:
        """Whether to ask again."""
        self.answers += 1
        return not self.over and self.answers < MOST_REQUESTS


class Connection(asyncio.Protocol):
    """Asks again as soon as the answer is there."""

    def __init__(self, scenario: Scenario, run: Run) -> None:
        self.scenario = scenario
        self.run = run
        self.request = request_of(scenario)
        self.opening = b"HTTP/1.1 %d " % scenario.status
        self.received = bytearray()
        self.length = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self) -> None:
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        # Most answers are as long as the first was and come in one piece: then nothing more needs to be looked at.
        if len(data) != self.length or self.received or not data.startswith(self.opening):
            self.received += data
            if not self.is_whole() or not (self.length or self._prove()):
                return
            self.received.clear()
        self._count()

    def _count(self) -> None:
        if self.run.count():
            self.ask()
        else:
            self.transport.close()
            self.finished.set_result(None)

    def is_whole(self) -> bool:
        end = self.received.find(b"\r\n\r\n")
        if end == -1:
            return False
        if length := LENGTH.search(self.received, 0, end + 2):
            return len(self.received) >= end + 4 + int(length[1])
        return not CHUNKED.search(self.received, 0, end + 2) or self.received.endswith(LAST_CHUNK)

    def _prove(self) -> bool:
        """Look at the first answer, and remember its length."""
        body = bytes(self.received).replace(b'": ', b'":')
        if body.startswith(self.opening) and self.scenario.expected in body:
            self.length = len(self.received)
            return True
        self._fail(NoSuchPage() if b" 404 " in body[:16] else WrongAnswer(f"{body[:200]!r}"))
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or ConnectionResetError("The server closed the connection."))

    def _fail(self, error: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(error)
            self.transport.close()


class WebSocketConnection(Connection):
    """The handshake is the first question, and not counted; the messages are the others."""

    def __init__(self, scenario: Scenario, run: Run) -> None:
        super().__init__(scenario, run)
        self.opening = b"HTTP/1.1 101 "
        self.open = False

    def data_received(self, data: bytes) -> None:
        if self.open:
            return super().data_received(data)
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            self._take_handshake()
        return None

    def _take_handshake(self) -> None:
        if not self.received.startswith(self.opening):
            return self._fail(WrongAnswer(f"{bytes(self.received[:200])!r}"))
        self.received.clear()
        self.open, self.opening = True, b""
        self.request = masked(self.scenario.body)
        self.ask()
        return None

    def is_whole(self) -> bool:
        # A short frame: two octets, and no mask from a server.
        return len(self.received) >= 2 + len(self.scenario.body)


def masked(text: bytes) -> bytes:
    """A client's frame. A mask of zeros is allowed and leaves the text as it is."""
    first, mask = MASKED_TEXT
    return bytes([first, mask | len(text)]) + bytes(4) + text


def request_of(scenario: Scenario) -> bytes:
    target = f"{scenario.path}?{scenario.query}" if scenario.query else scenario.path
    headers = {"host": "localhost", "accept": "*/*", "user-agent": "benchmark", **dict(scenario.headers)}
    lines = [f"{scenario.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if scenario.kind == "websocket":
        lines += ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"]
        lines += ["sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="]
        return "\r\n".join([*lines, "", ""]).encode()
    if scenario.body:
        lines.append(f"content-length: {len(scenario.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + scenario.body


async def rates(
    port: int, process: int, seconds: float, scenario: Scenario, kind: type[Connection] = Connection
) -> list[float]:
    """Requests per second, and per second of the server's CPU."""
    run = Run()
    async with asyncio.timeout(seconds + SECONDS_TO_FINISH):
        connections = [await _connect(port, lambda: kind(scenario, run)) for _ in range(CONNECTIONS)]
        used, began = cpu_seconds(process), time.perf_counter()
        for connection in connections:
            connection.ask()
        asyncio.get_running_loop().call_later(seconds, setattr, run, "over", True)
        await asyncio.gather(*(connection.finished for connection in connections))
    return [run.answers / (time.perf_counter() - began), run.answers / (cpu_seconds(process) - used)]


def cpu_seconds(process: int) -> float:
    """What another process has used, all threads together; NaN where there is no such clock (clock_getcpuclockid(3))."""
    try:
        return time.clock_gettime((~process << 3) | CPU_CLOCK)
    except OSError:
        return math.nan


async def _connect(port: int, kind: Callable[[], Connection]) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(kind, "127.0.0.1", port)
    return connection


async def answer(line: str) -> list[float]:
    port, process, seconds, name = line.split(" ", 3)
    try:
        scenario = BY_NAME[name]
        kind = WebSocketConnection if scenario.kind == "websocket" else Connection
        return await rates(int(port), int(process), float(seconds), scenario, kind)
    except NoSuchPage:
        return []
    except (WrongAnswer, OSError, TimeoutError) as error:
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
        return []


if __name__ == "__main__":
    uvloop.run(answer_lines(answer))
