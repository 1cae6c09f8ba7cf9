"""All server processes are replaced while people use the product: nobody notices."""

import asyncio
import os
import random
import re
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from tests.databases import database_server, worker_database
from tests.drills.database_faults import children
from tests.drills.load import NO_ANSWER
from tests.drills.product import Product, served, wait_until_ready

RESTARTS = 10
PEOPLE = 6
LONGEST_THOUGHT = 0.3  # Seconds between a person's requests: kept connections are idle when the server ends.
LONGEST_RESTART = 180.0  # Of the drill, not of the promise: a starved machine takes its time to start two processes.
PATHS = ("/", "/log-in", "/healthz", "/pricing")
TOKEN = "figures-of-the-drill"
VARIABLES = {"DRAIN_SECONDS": "1", "METRICS_TOKEN": TOKEN}
PAGE_COUNT = re.compile(r'slipway_request_seconds_count\{method="GET",route="/healthz",status="2xx"\} (\d+)')


@dataclass
class Tally:
    """How requests ended."""

    answered: int = 0
    probes: int = 0
    lost: list[str] = field(default_factory=list)


def drill(restarts: int = RESTARTS) -> list[str]:
    """Print the figures; what was not as it should be."""
    with (
        database_server() as server,
        worker_database(server) as name,
        served(server.application_url(name), "--workers", "2", **VARIABLES) as product,
    ):
        return asyncio.run(_run(product, restarts))


async def _run(product: Product, restarts: int) -> list[str]:
    tally, ended = Tally(), asyncio.Event()
    people = [asyncio.create_task(_browse(product, tally, ended, keeps=bool(each % 3))) for each in range(PEOPLE)]
    await asyncio.sleep(1)
    began = time.monotonic()
    for _ in range(restarts):
        await _restart(product)
    seconds = time.monotonic() - began
    await asyncio.sleep(1)
    ended.set()
    await asyncio.gather(*people)
    counted = await _counted(product)
    print(  # noqa: T201
        f"{restarts} restarts of two processes in {seconds:.0f} s: {tally.answered} requests answered, {len(tally.lost)} lost"
    )
    problems = [f"{len(tally.lost)} requests lost: {sorted(set(tally.lost))}"] if tally.lost else []
    if counted < tally.probes:
        problems.append(f"/metrics knows of {counted} probes, there were {tally.probes}: it does not answer for all")
    return problems


async def _counted(product: Product) -> int:
    """The answered probes, as whichever process is asked knows them, those of processes that ended included."""
    async with httpx.AsyncClient(base_url=product.url) as client:
        figures = (await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})).text
    found = PAGE_COUNT.search(figures)
    return int(found[1]) if found else 0


async def _restart(product: Product) -> None:
    """SIGHUP has each process replaced; over when none of the earlier ones is left and the new ones answer."""
    before = servers(product)
    os.kill(product.process.pid, signal.SIGHUP)
    deadline = time.monotonic() + LONGEST_RESTART
    while before & servers(product) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    if before & servers(product):
        raise SystemExit("The server processes were not replaced.")
    await asyncio.to_thread(wait_until_ready, product, product.process)


def servers(product: Product) -> set[int]:
    """The process ids of those that answer."""
    return {child for child in children(product.process.pid) if _runs_a_server(child)}


def _runs_a_server(process: int) -> bool:
    with suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


async def _browse(product: Product, tally: Tally, ended: asyncio.Event, *, keeps: bool) -> None:
    """Ask again and again, over a kept connection or over a new one each time; nothing is asked twice."""
    limits = httpx.Limits(max_keepalive_connections=1 if keeps else 0)
    async with httpx.AsyncClient(base_url=product.url, limits=limits, timeout=30) as client:
        while not ended.is_set():
            await _ask(client, tally)
            await asyncio.sleep(random.uniform(0, LONGEST_THOUGHT))  # noqa: S311


async def _ask(client: httpx.AsyncClient, tally: Tally) -> None:
    path, status, reason = random.choice(PATHS), NO_ANSWER, ""  # noqa: S311
    try:
        status = (await client.get(path)).status_code
    except httpx.HTTPError as error:
        reason = type(error).__name__
    if status == 200:
        tally.answered += 1
        tally.probes += path == "/healthz"
    else:
        tally.lost.append(f"{path}: {reason or status}")
