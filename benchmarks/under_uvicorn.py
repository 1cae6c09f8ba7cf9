"""Requests per second under one and the same uvicorn, relative to the bare callable on uvicorn's own protocol class."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.answering import Answering, end
from benchmarks.environment import ROOT
from benchmarks.scenarios import Scenario, by_application
from benchmarks.tables import Results, ratios, rows, spread

OWN = "httptools"
OURS = "core.server:BoundedProtocol"
SECONDS = 0.25
BACKLOG = 64


def servers_of(peers: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Each column's peer and protocol class; slipway is there with both classes."""
    columns: dict[str, tuple[str, str]] = {}
    for peer in peers:
        columns[peer] = (peer, OWN)
        if peer == "slipway":
            columns["slipway, core.server"] = (peer, OURS)
    return columns


def run(interpreter: Path, peers: Sequence[str], scenarios: Sequence[Scenario], rounds: int) -> Results:
    """Measure every scenario `rounds` times with each server in turn: requests per second."""
    results: Results = {}
    with Answering(interpreter, "benchmarks.load") as load:
        for group in by_application(scenarios):
            with ExitStack() as stack:
                ports = {
                    column: stack.enter_context(served(interpreter, peer, group[0], http))
                    for column, (peer, http) in servers_of(peers).items()
                }
                results |= {scenario.name: _measure(load, ports, scenario.name, rounds) for scenario in group}
    return {scenario.name: results[scenario.name] for scenario in scenarios}


@contextmanager
def served(interpreter: Path, peer: str, scenario: Scenario, http: str) -> Iterator[int]:
    """A server in its own process; gives its port. Connections wait in the backlog until it has started."""
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
        yield port
    finally:
        end(process)


def _measure(load: Answering, ports: dict[str, int], scenario: str, rounds: int) -> dict[str, list[float]]:
    # The first turn warms up; who cannot answer is not asked again.
    able = [name for name, port in ports.items() if load.ask(f"{port} {SECONDS / 2} {scenario}") > 0]
    found: dict[str, list[float]] = {name: [] for name in ports}
    for turn in range(rounds):
        for name in able if turn % 2 else reversed(able):
            found[name].append(load.ask(f"{ports[name]} {SECONDS} {scenario}"))
    return found


def table(results: Results) -> str:
    """Median ratios to raw, with the least and the greatest round."""
    names = [name for name in next(iter(results.values())) if name != "raw"]
    body = [[scenario, *(spread(ratios(peers, name, "raw")) for name in names)] for scenario, peers in results.items()]
    return rows(["requests per second, raw = 1", *names], body)
