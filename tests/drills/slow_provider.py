"""The mail provider hangs or trickles while people use pages that send mail: nobody waits for it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2 as httpx

from tests.databases import database_server, worker_database
from tests.drills.fault_proxy import FaultProxy
from tests.drills.load import Load, load
from tests.drills.product import ROOT, START_SECONDS, Product, add_people, environment, served
from tests.networks import network

SECONDS = 5.0
RATE = 10.0
MESSAGES = 20
MOST_TIMES_SLOWER = 2.0
NEGLIGIBLE = 0.05  # Seconds: below this, ratios say more about the machine than about the product.


def drill(seconds: float = SECONDS) -> list[str]:
    """Print the figures; what was not as it should be."""
    with database_server() as server, worker_database(server) as name:
        return asyncio.run(_run(server.application_url(name), seconds))


async def _run(url: str, seconds: float) -> list[str]:
    async with FaultProxy("127.0.0.1", 9) as provider:
        provider.swallow()  # It takes connections and never says a word.
        mail = {"EMAIL_PROVIDER": "smtp", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(provider.port)}
        serving = served(url, **mail)
        product = await asyncio.to_thread(serving.__enter__)
        try:
            people = [f"mail{number}@example.com" for number in range(MESSAGES)]
            await add_people(product, people)
            quiet = await _measure(product, seconds, [], provider)
            with worker(url, mail):
                busy = await _measure(product, seconds, people, provider)
            lines = provider.open_lines
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
    return _problems(quiet, busy, lines)


@contextmanager
def worker(url: str, variables: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "app", "worker"], cwd=ROOT, env=environment(url, **variables))
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def _measure(product: Product, seconds: float, people: list[str], provider: FaultProxy) -> Load:
    """The answers to somebody who looks around while these people ask for mail."""
    async with load(product, "/log-in", rate=RATE, headers={}) as answers:
        async with httpx.AsyncClient(base_url=product.url, timeout=30) as client:
            for number, address in enumerate(people):
                form = {"email": address}
                response = await client.post("/forgot-password", data=form, headers=network(number))
                if response.status_code not in (200, 303):
                    raise SystemExit(f"Asking for mail answered {response.status_code}")
        if people:
            await _delivery_begun(provider)
        await asyncio.sleep(seconds)
    return answers


async def _delivery_begun(provider: FaultProxy) -> None:
    """A worker on a busy machine takes its time to start; the drill says so if it never does."""
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while not provider.open_lines:
                await asyncio.sleep(0.1)


def _problems(quiet: Load, busy: Load, lines: int) -> list[str]:
    print(  # noqa: T201
        f"pages while the provider answers nothing: median {busy.median() * 1000:.1f} ms, slowest "
        f"{busy.slowest() * 1000:.1f} ms (before: {quiet.median() * 1000:.1f} and {quiet.slowest() * 1000:.1f} ms), "
        f"{busy.statuses()}; {lines} deliveries hanging"
    )
    found = []
    if set(busy.statuses()) != {200}:
        found.append(f"answers {busy.statuses()}")
    if busy.median() > max(quiet.median() * MOST_TIMES_SLOWER, NEGLIGIBLE):
        found.append("pages became slower")
    if not lines:
        found.append("no delivery was under way, so nothing was shown")
    return found
