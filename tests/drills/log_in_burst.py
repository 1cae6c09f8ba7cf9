"""How long the health check takes while many people log in at once: hashing must not hold up anybody else."""

import asyncio
import multiprocessing
import time
from collections import Counter
from multiprocessing.synchronize import Event

import httpx2 as httpx

from tests.drills.product import PASSWORD, Product, add_people
from tests.networks import network

PARALLEL = 50
ROUNDS = 4
PAUSE_SECONDS = 0.01
QUEUE_STATUSES = {303, 503}
LONGEST_ANSWER = 0.1  # seconds; the aim on a quiet machine of two cores


def drill(product: Product) -> bool:
    """Print the figures; true if the slowest answer kept the limit and every log-in was answered as it must be."""
    addresses = [f"burst{number}@example.com" for number in range(PARALLEL)]
    asyncio.run(add_people(product, addresses))
    quiet = probe(product, seconds=1.0)
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[list[tuple[int, float]]] = context.Queue()
    done = context.Event()
    load = context.Process(target=log_in_at_once, args=(product.url, addresses, results, done))
    load.start()
    answers = results.get(timeout=60)  # Empty: it is ready to begin.
    busy = probe(product, until=done)
    answers = results.get(timeout=60)
    load.join()
    statuses = Counter(status for status, _ in answers)
    print(f"log-ins: {len(answers)}, {PARALLEL} at once: {dict(statuses)}")  # noqa: T201
    print(f"slowest log-in: {max(seconds for _, seconds in answers):.2f} s")  # noqa: T201
    print(f"/healthz, quiet: {described(quiet)}")  # noqa: T201
    print(f"/healthz, while they log in: {described(busy)}")  # noqa: T201
    return max(busy) < LONGEST_ANSWER and set(statuses) <= QUEUE_STATUSES and statuses[303] > 0


def described(times: list[float]) -> str:
    ordered = sorted(times)
    return (
        f"{len(ordered)} answers, median {ordered[len(ordered) // 2] * 1000:.1f} ms, "
        f"99 of 100 within {ordered[int(len(ordered) * 0.99)] * 1000:.1f} ms, slowest {ordered[-1] * 1000:.1f} ms"
    )


def probe(product: Product, *, seconds: float = 60.0, until: Event | None = None) -> list[float]:
    """Ask for /healthz again and again over one connection; how long each answer took, in seconds."""
    times, deadline = [], time.monotonic() + seconds
    with httpx.Client(base_url=product.url) as client:
        while time.monotonic() < deadline and not (until and until.is_set()):
            began = time.perf_counter()
            client.get("/healthz").raise_for_status()
            times.append(time.perf_counter() - began)
            time.sleep(PAUSE_SECONDS)
    return times


def log_in_at_once(
    url: str, addresses: list[str], results: "multiprocessing.Queue[list[tuple[int, float]]]", done: Event
) -> None:
    """In a process of its own, so that its work is not taken for the server's: statuses and seconds of all log-ins."""
    results.put([])
    results.put(asyncio.run(all_rounds(url, addresses)))
    done.set()


async def all_rounds(url: str, addresses: list[str]) -> list[tuple[int, float]]:
    answers: list[tuple[int, float]] = []
    limits = httpx.Limits(max_connections=PARALLEL)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        for round_number in range(ROUNDS):
            tasks = [
                log_in(client, address, round_number * PARALLEL + number) for number, address in enumerate(addresses)
            ]
            answers += await asyncio.gather(*tasks)
    return answers


async def log_in(client: httpx.AsyncClient, address: str, number: int) -> tuple[int, float]:
    began = time.perf_counter()
    # No cookie jar: each of these is another person's browser.
    client.cookies.clear()
    form = {"email": address, "password": PASSWORD}
    response = await client.post("/log-in", data=form, headers=network(number) | {"cookie": ""})
    return response.status_code, time.perf_counter() - began
