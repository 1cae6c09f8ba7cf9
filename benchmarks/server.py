"""`python -m benchmarks.server`: our protocol class beside uvicorn's own, under the same uvicorn, interleaved in one run.

Two servers of one bare application take turns at the same load. Printed are ratios: of requests per second, and of the
server's CPU time per request, which other work on the machine disturbs less.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

import click
import uvicorn
import uvloop

from core.server import BoundedProtocol

PROTOCOLS: dict[str, Any] = {"uvicorn": "httptools", "ours": BoundedProtocol}
CONNECTIONS = 16
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

BROWSER = (
    b"Host: 127.0.0.1:8000\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,application/xhtml+xml\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\nConnection: keep-alive\r\nCookie: session=abcdefgh\r\n"
)
BODY = b'{"name":"' + b"x" * 1000 + b'"}'
# The request, and how its response ends.
SCENARIOS = {
    "plain text": (b"GET /text?x=1 HTTP/1.1\r\n" + BROWSER + b"\r\n", b"Hello, world!"),
    "echo of 1 kB": (
        b"POST /echo HTTP/1.1\r\n" + BROWSER + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
        BODY,
    ),
    "100 kB": (b"GET /large HTTP/1.1\r\n" + BROWSER + b"\r\n", b"x" * 99 + b"!"),
    "stream of 100 chunks": (b"GET /stream HTTP/1.1\r\n" + BROWSER + b"\r\n", b"\r\n0\r\n\r\n"),
}
TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
LARGE = b"x" * 99_999 + b"!"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The least that an application can do for each scenario."""
    path = scope["path"]
    if path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": TEXT})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b"a chunk of text", "more_body": True})
        await send({"type": "http.response.body"})
        return
    body = (await receive())["body"] if path == "/echo" else LARGE if path == "/large" else b"Hello, world!"
    headers = [*TEXT, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def serve(listener: socket.socket, http: Any) -> None:
    config = uvicorn.Config(
        application, http=http, log_level="error", lifespan="off", access_log=False, loop="uvloop", proxy_headers=False
    )
    uvicorn.Server(config).run([listener])


@contextmanager
def served(http: Any) -> Iterator[tuple[BaseProcess, int]]:
    """A server in its own process, and its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(CONNECTIONS)
        process = multiprocessing.get_context("fork").Process(target=serve, args=(listener, http))
        process.start()
        try:
            yield process, listener.getsockname()[1]
        finally:
            process.terminate()
            process.join()


class Client(asyncio.Protocol):
    """Asks again as soon as the answer is there."""

    def __init__(self, request: bytes, ending: bytes, requests: int) -> None:
        self.request = request
        self.ending = ending
        self.left = requests
        self.tail = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-len(self.ending) :]
        if self.tail != self.ending:
            return
        self.tail = b""
        self.left -= 1
        if self.left:
            self.transport.write(self.request)
        else:
            self.transport.close()
            self.done.set_result(None)


async def load(port: int, request: bytes, ending: bytes, requests: int) -> None:
    clients = [Client(request, ending, requests // CONNECTIONS) for _ in range(CONNECTIONS)]
    for client in clients:
        await asyncio.get_running_loop().create_connection(partial(_itself, client), "127.0.0.1", port)
    await asyncio.gather(*(client.done for client in clients))


def _itself(client: Client) -> Client:
    return client


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def measure(process: BaseProcess, port: int, scenario: str, requests: int) -> tuple[float, float]:
    """Requests per second, and CPU microseconds per request."""
    assert process.pid is not None
    before, began = cpu_seconds(process.pid), time.perf_counter()
    uvloop.run(load(port, *SCENARIOS[scenario], requests))
    took = time.perf_counter() - began
    return requests / took, (cpu_seconds(process.pid) - before) / requests * 1e6


@click.command()
@click.option("--rounds", default=7, show_default=True, help="How often the servers take turns at each scenario.")
@click.option("--requests", default=16_000, show_default=True, help="Requests of one turn.")
def main(rounds: int, requests: int) -> None:
    """Compare the protocol classes, side by side in one run."""
    click.echo(f"{'scenario':24}{'req/s':>9}{'ratio':>8}{'min-max':>13}{'CPU µs':>9}{'ratio':>8}")
    with served(PROTOCOLS["uvicorn"]) as theirs, served(PROTOCOLS["ours"]) as ours:
        for scenario in SCENARIOS:
            amount = requests // 8 if scenario.startswith(("stream", "100 kB")) else requests
            turns = [(measure(*theirs, scenario, amount), measure(*ours, scenario, amount)) for _ in range(rounds)]
            click.echo(row(scenario, turns))


def row(scenario: str, turns: list[tuple[tuple[float, float], tuple[float, float]]]) -> str:
    rates = [ours[0] / theirs[0] for theirs, ours in turns]
    costs = [ours[1] / theirs[1] for theirs, ours in turns if theirs[1]]
    rate, cost = (statistics.median(ours[which] for _, ours in turns) for which in (0, 1))
    return (
        f"{scenario:24}{rate:9.0f}{statistics.median(rates):8.2f}{min(rates):7.2f}-{max(rates):.2f}"
        f"{cost:10.1f}{statistics.median(costs):8.2f}"
    )


if __name__ == "__main__":
    main()
