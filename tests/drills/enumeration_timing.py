"""Whether the time of an answer tells if an address has an account: requests for known and unknown addresses in turn.

The figure is the area under the ROC curve: the chance that a known address took longer than an unknown one. 0.5 tells
nothing; with 200 of each, 0.42 to 0.58 is within what chance does.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence

import httpx2 as httpx

from tests.drills.product import Product, add_people
from tests.networks import network

PAIRS = 200
WARM_UP = 20
BOUNDS = (0.42, 0.58)
WRONG = "seven lamps by the harbour"
STEPS: dict[str, tuple[str, dict[str, str]]] = {
    "logging in with a wrong password": ("/log-in", {"password": WRONG}),
    "a forgotten password": ("/forgot-password", {}),
    "logging in by mail": ("/log-in/code", {}),
    "signing up": ("/sign-up", {"name": "Ada", "password": WRONG, "terms": "true"}),
}


def drill(product: Product) -> bool:
    """Print a figure for each step; true if all are within the bounds."""
    numbers = iter(range(1_000_000, 9_000_000))
    figures = []
    for index, (name, (path, fields)) in enumerate(STEPS.items()):
        known = [f"known{index}.{number}@example.com" for number in range(PAIRS + WARM_UP)]
        unknown = [f"other{index}.{number}@example.com" for number in range(PAIRS + WARM_UP)]
        asyncio.run(add_people(product, known))
        figure = area(*times(product, path, fields, known, unknown, numbers))
        figures.append(figure)
        print(f"{name}: {figure:.3f} (n = {PAIRS} of each)")  # noqa: T201
    return all(BOUNDS[0] <= figure <= BOUNDS[1] for figure in figures)


def times(
    product: Product,
    path: str,
    fields: dict[str, str],
    known: Sequence[str],
    unknown: Sequence[str],
    numbers: Iterator[int],
) -> tuple[list[float], list[float]]:
    """Seconds for known and for unknown addresses. Which of the two comes first changes with each pair."""
    found: tuple[list[float], list[float]] = ([], [])
    with httpx.Client(base_url=product.url, timeout=30) as client:
        for index, pair in enumerate(zip(known, unknown, strict=True)):
            for kind in (0, 1) if index % 2 else (1, 0):
                client.cookies.clear()
                began = time.perf_counter()
                response = client.post(path, data=fields | {"email": pair[kind]}, headers=network(next(numbers)))
                if index >= WARM_UP:
                    found[kind].append(time.perf_counter() - began)
                if response.status_code not in (303, 422):
                    raise SystemExit(f"{path} answered {response.status_code}: {response.text[:500]}")
    return found


def area(first: Sequence[float], second: Sequence[float]) -> float:
    """The chance that one of `first` is greater than one of `second`."""
    wins = sum((a > b) + 0.5 * (a == b) for a in first for b in second)
    return wins / (len(first) * len(second))
