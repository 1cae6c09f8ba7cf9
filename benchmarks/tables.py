"""Results as Markdown: medians, and ratios within a round with the least and the greatest."""

import math
import statistics
from collections.abc import Collection, Iterable, Sequence

# Scenario, then peer, then one value a round; no values where a peer has nothing of the kind.
Results = dict[str, dict[str, list[float]]]


def median(values: Sequence[float]) -> float:
    """Of those that are numbers; NaN of none."""
    numbers = [value for value in values if math.isfinite(value)]
    return statistics.median(numbers) if numbers else math.nan


def ratios(peers: dict[str, list[float]], ours: str, theirs: str) -> list[float]:
    """Round by round, so that what disturbs a whole round disturbs both sides."""
    pairs = zip(peers.get(ours, []), peers.get(theirs, []), strict=False)
    return [one / other for one, other in pairs if math.isfinite(one) and math.isfinite(other) and other]


def fastest(peers: dict[str, list[float]], besides: Collection[str]) -> str | None:
    """Who has the least median."""
    able = {name: median(values) for name, values in peers.items() if values and name not in besides}
    return min(able, key=able.__getitem__, default=None)


def spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def rows(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
