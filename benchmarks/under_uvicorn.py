"""Requests per second under one and the same uvicorn, relative to the bare callable on uvicorn's own protocol class."""

import math
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.answering import Answering, end
from benchmarks.environment import ROOT
from benchmarks.scenarios import Scenario, by_application
from benchmarks.tables import Results, ratios, rows, spread

OWN = "httptools"
OURS = "core.server:BoundedProtocol"
ON_OURS = ("raw", "slipway")
SECONDS = 0.15
BACKLOG = 64


def servers_of(peers: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Each column's peer and protocol class; the bare callable and slipway are there with both classes."""
    columns: dict[str, tuple[str, str]] = {}
    for peer in peers:
        columns[peer] = (peer, OWN)
        if peer in ON_OURS:
            columns[f"{peer}, core.server"] = (peer, OURS)
    return columns


@dataclass(frozen=True)
class Served:
    """A server in its own process."""

    port: int
    process: int


def run(interpreter: Path, peers: Sequence[str], scenarios: Sequence[Scenario], rounds: int) -> tuple[Results, Results]:
    """Measure every scenario `rounds` times with each server in turn: requests per second, and per second of its CPU."""
    found: dict[str, tuple[dict[str, list[float]], dict[str, list[float]]]] = {}
    with Answering(interpreter, "benchmarks.load") as load:
        for group in by_application(scenarios):
            with ExitStack() as stack:
                servers = {
                    column: stack.enter_context(serving(interpreter, peer, group[0], http))
                    for column, (peer, http) in servers_of(peers).items()
                }
                found |= {scenario.name: _measure(load, servers, scenario.name, rounds) for scenario in group}
    names = [scenario.name for scenario in scenarios]
    return {name: found[name][0] for name in names}, {name: found[name][1] for name in names}


@contextmanager
def serving(interpreter: Path, peer: str, scenario: Scenario, http: str) -> Iterator[Served]:
    """Start and end a server. Connections wait in the backlog until it has started."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(BACKLOG)
        port: int = listener.getsockname()[1]
        number = listener.fileno()
        process = subprocess.Popen(
            [interpreter, "-W", "ignore", "-m", "benchmarks.serve", peer, scenario.name, http, str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=ROOT, pass_fds=[number],
            start_new_session=True,
        )  # fmt: skip
    try:
        yield Served(port, process.pid)
    finally:
        end(process)


def _measure(
    load: Answering, servers: dict[str, Served], scenario: str, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    def ask(name: str) -> list[float]:
        return load.ask(f"{servers[name].port} {servers[name].process} {SECONDS} {scenario}")

    # The first turn warms up; who cannot answer is not asked again.
    able = [name for name in servers if ask(name)]
    rates: dict[str, list[float]] = {name: [] for name in servers}
    of_cpu: dict[str, list[float]] = {name: [] for name in servers}
    for turn in range(rounds):
        for name in able if turn % 2 else reversed(able):
            rate, by_cpu = ask(name) or (math.nan, math.nan)
            rates[name].append(rate)
            of_cpu[name].append(by_cpu)
    return rates, of_cpu


def table(title: str, results: Results) -> str:
    """Median ratios to raw, with the least and the greatest round."""
    names = [name for name in next(iter(results.values())) if name != "raw"]
    body = [[scenario, *(spread(ratios(peers, name, "raw")) for name in names)] for scenario, peers in results.items()]
    return rows([f"{title}, raw = 1", *names], body)
