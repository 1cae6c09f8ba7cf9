"""Requests at an even pace, whatever becomes of those before, and what was answered when."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2 as httpx

from tests.drills.product import PASSWORD, Product

# In place of a status: the connection failed, or nobody answered.
NO_ANSWER = 0
LONGEST_SECONDS = 15


@dataclass(frozen=True)
class Answer:
    """One answer; times in seconds of the monotonic clock."""

    path: str
    status: int
    asked_at: float
    answered_at: float

    @property
    def seconds(self) -> float:
        return self.answered_at - self.asked_at


@dataclass
class Load:
    """What was answered so far."""

    answers: list[Answer] = field(default_factory=list)

    def statuses(self) -> dict[int, int]:
        return dict(Counter(answer.status for answer in self.answers))

    def slowest(self) -> float:
        return max((answer.seconds for answer in self.answers), default=0.0)

    def median(self) -> float:
        ordered = sorted(answer.seconds for answer in self.answers)
        return ordered[len(ordered) // 2] if ordered else 0.0

    def last_failure(self) -> float | None:
        """When the last request was asked that was not answered as always."""
        return max((answer.asked_at for answer in self.answers if answer.status != 200), default=None)


async def log_in(product: Product, address: str) -> dict[str, str]:
    """The header with the cookies of somebody who is logged in."""
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as client:
        response = await client.post("/log-in", data={"email": address, "password": PASSWORD})
        if response.status_code != 303:
            raise SystemExit(f"Nobody could log in: {response.status_code} {response.text[:200]}")
        return {"cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


@asynccontextmanager
async def load(product: Product, path: str, *, rate: float, headers: dict[str, str]) -> AsyncIterator[Load]:
    """Ask for `path` `rate` times a second until the end of the block."""
    found = Load()
    tasks: set[asyncio.Task[None]] = set()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=product.url, limits=limits, timeout=LONGEST_SECONDS) as client:
        pacing = asyncio.create_task(_pace(client, path, headers, rate, found, tasks))
        try:
            yield found
        finally:
            pacing.cancel()
            await asyncio.gather(pacing, *tasks, return_exceptions=True)


async def _pace(
    client: httpx.AsyncClient,
    path: str,
    headers: dict[str, str],
    rate: float,
    found: Load,
    tasks: set[asyncio.Task[None]],
) -> None:
    due = time.monotonic()
    while True:
        task = asyncio.create_task(_ask(client, path, headers, found))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due += 1 / rate
        await asyncio.sleep(max(due - time.monotonic(), 0))


async def _ask(client: httpx.AsyncClient, path: str, headers: dict[str, str], found: Load) -> None:
    asked_at = time.monotonic()
    try:
        status = (await client.get(path, headers=headers)).status_code
    except httpx.HTTPError:
        status = NO_ANSWER
    found.answers.append(Answer(path, status, asked_at, time.monotonic()))
