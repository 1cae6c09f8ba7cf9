"""How long the health check takes while many people log in at once: hashing must not hold up anybody else.

They do so several times. What else the machine does can only make a time longer, and what the product does itself it does in
each burst: so the limit is kept if the slowest answers of two bursts keep it, less the longest that a little work beside the
product had to wait for a processor.
"""

import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Event

import httpx2 as httpx

from tests.drills.product import PASSWORD, Product, add_people
from tests.networks import network

PARALLEL = 50
BURSTS = 5
PAUSE_SECONDS = 0.01
QUEUE_STATUSES = {303, 503}
LONGEST_ANSWER = 0.1  # seconds; the aim on a quiet machine of two cores
LONGEST_SECONDS = 120

WORK_SECONDS = 0.003  # About what the server does for an answer.


def drill(product: Product) -> bool:
    """Print the figures; true if the slowest answer kept the limit and every log-in was answered as it must be."""
    addresses = [f"burst{number}@example.com" for number in range(PARALLEL)]
    asyncio.run(add_people(product, addresses))
    quiet = probe(product, seconds=1.0)
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[list[list[LogIn]]] = context.Queue()
    done = context.Event()
    load = context.Process(target=log_in_at_once, args=(product.url, addresses, results, done))
    load.start()
    results.get(timeout=LONGEST_SECONDS)  # Empty: it is ready to begin.
    busy = probe(product, seconds=LONGEST_SECONDS, until=done)
    bursts = results.get(timeout=LONGEST_SECONDS)
    load.join()
    statuses = Counter(each.status for burst in bursts for each in burst)
    slowest = [slowest_during(burst, busy) for burst in bursts]
    own = [burst.seconds - burst.waited for burst in slowest]
    print(f"log-ins: {statuses.total()}, {PARALLEL} at once: {dict(statuses)}")  # noqa: T201
    print(f"slowest log-in: {max(each.seconds for burst in bursts for each in burst):.2f} s")  # noqa: T201
    print(f"/healthz, quiet: {described(quiet)}")  # noqa: T201
    print(f"/healthz, while they log in: {described(busy)}")  # noqa: T201
    shown = [f"{burst.seconds * 1000:.0f} ({burst.waited * 1000:.0f})" for burst in slowest]
    print(f"slowest of each burst, and the longest wait for a processor: {', '.join(shown)} ms")  # noqa: T201
    return sorted(own)[1] < LONGEST_ANSWER and set(statuses) <= QUEUE_STATUSES and statuses[303] > 0


@dataclass(frozen=True)
class Answer:
    """When /healthz was asked by the machine's clock, how long it took, and how long our own work waited after it, in seconds."""

    began_at: float
    seconds: float
    waited: float


@dataclass(frozen=True)
class LogIn:
    """One log-in: when it began by the machine's clock, how many seconds it took, and its status."""

    began_at: float
    seconds: float
    status: int


def slowest_during(burst: Sequence[LogIn], answers: Sequence[Answer]) -> Answer:
    """The longest times of the answers that were asked for during a burst."""
    begins = min(each.began_at for each in burst)
    ends = max(each.began_at + each.seconds for each in burst)
    found = [each for each in answers if begins <= each.began_at <= ends]
    return Answer(begins, max(each.seconds for each in found), max(each.waited for each in found))


def described(answers: Sequence[Answer]) -> str:
    ordered = sorted(each.seconds for each in answers)
    return (
        f"{len(ordered)} answers, median {ordered[len(ordered) // 2] * 1000:.1f} ms, "
        f"99 of 100 within {ordered[int(len(ordered) * 0.99)] * 1000:.1f} ms, slowest {ordered[-1] * 1000:.1f} ms"
    )


def probe(product: Product, *, seconds: float, until: Event | None = None) -> list[Answer]:
    """Ask for /healthz again and again over one connection."""
    answers, deadline = [], time.monotonic() + seconds
    with httpx.Client(base_url=product.url) as client:
        while time.monotonic() < deadline and not (until and until.is_set()):
            began = time.monotonic()
            client.get("/healthz").raise_for_status()
            answers.append(Answer(began, time.monotonic() - began, wait_for_processor()))
            time.sleep(PAUSE_SECONDS)
    return answers


def wait_for_processor() -> float:
    """Do a little work; for how many seconds it stood still."""
    began, spent = time.monotonic(), time.process_time()
    while time.process_time() - spent < WORK_SECONDS:
        pass
    return time.monotonic() - began - (time.process_time() - spent)


def log_in_at_once(
    url: str, addresses: list[str], results: "multiprocessing.Queue[list[list[LogIn]]]", done: Event
) -> None:
    """In a process of its own, so that its work is not taken for the server's."""
    results.put([])
    results.put(asyncio.run(all_bursts(url, addresses)))
    done.set()


async def all_bursts(url: str, addresses: list[str]) -> list[list[LogIn]]:
    bursts = []
    limits = httpx.Limits(max_connections=PARALLEL)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        for first in range(0, BURSTS * PARALLEL, PARALLEL):
            tasks = [log_in(client, address, number) for number, address in enumerate(addresses, first)]
            bursts.append(await asyncio.gather(*tasks))
    return bursts


async def log_in(client: httpx.AsyncClient, address: str, number: int) -> LogIn:
    began = time.monotonic()
    # No cookie jar: each of these is another person's browser.
    client.cookies.clear()
    form = {"email": address, "password": PASSWORD}
    response = await client.post("/log-in", data=form, headers=network(number) | {"cookie": ""})
    return LogIn(began, time.monotonic() - began, response.status_code)
