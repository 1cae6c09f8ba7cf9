"""CPU per request without a server, every peer in its own process, rounds interleaved."""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.answering import Answering
from benchmarks.scenarios import BY_HAND, DECLARED, Scenario, by_application
from benchmarks.tables import Results, fastest, median, ratios, rows, spread


def run(interpreter: Path, names: Sequence[str], scenarios: Sequence[Scenario], rounds: int) -> Results:
    """Measure every scenario `rounds` times with each peer in turn: microseconds."""
    results: Results = {}
    for group in by_application(scenarios):
        with ExitStack() as stack:
            peers = {name: stack.enter_context(_worker(interpreter, name, group[0])) for name in names}
            results |= {scenario.name: _measure(peers, scenario.name, rounds) for scenario in group}
    return {scenario.name: results[scenario.name] for scenario in scenarios}


def _worker(interpreter: Path, peer: str, scenario: Scenario) -> Answering:
    return Answering(interpreter, "benchmarks.worker", [peer, scenario.name])


def _measure(peers: dict[str, Answering], scenario: str, rounds: int) -> dict[str, list[float]]:
    # The first question builds the application and warms it up; who cannot answer it is not asked again.
    able = [name for name, peer in peers.items() if peer.ask(scenario)]
    found: dict[str, list[float]] = {name: [] for name in peers}
    for turn in range(rounds):
        for name in able if turn % 2 else reversed(able):
            found[name] += peers[name].ask(scenario) or [math.nan]
    return found


def table(results: Results, names: Sequence[str], rival: str) -> str:
    """Median microseconds of raw, and of each other above it; then slipway's whole cost beside a rival's and the fastest's."""
    others = [name for name in names if name != "raw"]
    head = [
        "CPU µs per request",
        "raw",
        *(f"+ {name}" for name in others),
        f"slipway ÷ {rival}",
        "slipway ÷ fastest peer",
    ]
    body = []
    for scenario, peers in results.items():
        raw = median(peers.get("raw", []))
        above = [_one_decimal(median(peers[name]) - raw) for name in others]
        best = fastest(peers, besides={"raw", "slipway"})
        body.append(
            [scenario, _one_decimal(raw), *above, spread(ratios(peers, "slipway", rival)), _beside(peers, best)]
        )
    return rows(head, body)


def declared_beside_by_hand(results: Results) -> str:
    """What declaring two path and two query parameters costs, of reading them by hand."""
    pairs = zip(results[DECLARED.name].get("slipway", []), results[BY_HAND.name].get("slipway", []), strict=True)
    return f"slipway, declared ÷ by hand: {spread([declared / by_hand for declared, by_hand in pairs])}"


def _one_decimal(value: float) -> str:
    return f"{value:.1f}" if value == value else "-"


def _beside(peers: dict[str, list[float]], best: str | None) -> str:
    return f"{spread(ratios(peers, 'slipway', best))} {best}" if best else "-"
