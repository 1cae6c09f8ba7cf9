"""CPU per request without a server, every peer in its own process, rounds interleaved: ratios to a bare ASGI callable."""

import math
import statistics
import subprocess
from pathlib import Path

from benchmarks.environment import ROOT
from benchmarks.scenarios import SCENARIOS

PEERS = ["raw", "slipway", "starlette", "fastapi", "litestar", "blacksheep", "falcon", "sanic", "quart", "django"]


class Peer:
    """A worker process that measures when it is asked."""

    def __init__(self, name: str, interpreter: Path) -> None:
        self.name = name
        command = [interpreter, "-m", "benchmarks.worker", name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def measure(self, scenario: str) -> float:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{scenario}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline() or "nan")

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=10)


def run(interpreter: Path, names: list[str], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Measure every scenario `rounds` times with each peer in turn: scenario → peer → microseconds."""
    peers = [Peer(name, interpreter) for name in names]
    try:
        return {scenario.name: _measure(peers, scenario.name, rounds) for scenario in SCENARIOS}
    finally:
        for peer in peers:
            peer.stop()


def _measure(peers: list[Peer], scenario: str, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for peer in peers:
        peer.measure(scenario)  # The first round builds the application and warms it up.
    for _ in range(rounds):
        for peer in peers:
            found[peer.name].append(peer.measure(scenario))
    return found


def table(results: dict[str, dict[str, list[float]]], names: list[str]) -> str:
    """A Markdown table: median microseconds, and for slipway the ratio to Starlette with its least and greatest round."""
    lines = [
        "| CPU µs per request | " + " | ".join(names) + " | slipway ÷ starlette |",
        "|---" * (len(names) + 2) + "|",
    ]
    for scenario, peers in results.items():
        cells = [_cell(peers[name]) for name in names]
        lines.append(f"| {scenario} | " + " | ".join(cells) + f" | {_ratio(peers)} |")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    median = statistics.median(values)
    return "-" if math.isnan(median) else f"{median:.1f}"


def _ratio(peers: dict[str, list[float]]) -> str:
    if "starlette" not in peers or "slipway" not in peers:
        return "-"
    ratios = [ours / theirs for ours, theirs in zip(peers["slipway"], peers["starlette"], strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
