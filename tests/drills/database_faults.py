"""The product while its database restarts, hangs or cannot be reached: only 503s, no long waits, well again by itself.

What else the machine does can only make times longer: where something took too long, the fault happens twice more, and the
product has to be quick both times.
"""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from app.embedded_postgres import OWNER, EmbeddedPostgres
from tests.databases import DatabaseServer
from tests.drills.fault_proxy import FaultProxy
from tests.drills.load import Load, load, log_in
from tests.drills.product import Product, add_people, served

PERSON = "faults@example.com"
PAGE = "/account/profile"
RATE = 50.0  # Requests a second.
LONGEST_WAIT = 2.0
SLACK = 0.25
LONGEST_RECOVERY = 2.0
CALM_SECONDS = 3.0
EXPECTED = {200, 503}
TWICE_MORE = 2


class DrilledServer:
    """A PostgreSQL that can be restarted and stopped in its tracks, behind a line that can fail."""

    def __init__(self, postgres: EmbeddedPostgres, cluster: Path, line: FaultProxy) -> None:
        self._postgres = postgres
        self._cluster = cluster
        self.line = line

    async def restart(self, with_signal: signal.Signals) -> None:
        """SIGINT is a fast restart, which ends sessions in order; SIGQUIT an immediate one, as after a crash."""
        os.kill(self._postmaster(), with_signal)
        await asyncio.to_thread(self._start_again)
        self.line.target = ("127.0.0.1", self._postgres.port)

    def _start_again(self) -> None:
        self._postgres.leave()
        self._postgres.__enter__()

    async def freeze(self, seconds: float) -> None:
        """Stop every process of the server in its tracks (SIGSTOP), and let them go on."""
        processes = [self._postmaster(), *children(self._postmaster())]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for process in processes:
                os.kill(process, number)
            if number is signal.SIGSTOP:
                await asyncio.sleep(seconds)

    async def fall_silent(self, seconds: float) -> None:
        self.line.swallow()
        await asyncio.sleep(seconds)
        self.line.flow()

    async def break_lines(self) -> None:
        self.line.reset()

    def _postmaster(self) -> int:
        return int((self._cluster / "postmaster.pid").read_text().splitlines()[0])


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(found) for found in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@dataclass(frozen=True)
class Fault:
    """Something that happens to the database."""

    name: str
    happens: Callable[[DrilledServer], Awaitable[None]]


FAULTS = (
    Fault("all connections reset", lambda server: server.break_lines()),
    Fault("fast restart", lambda server: server.restart(signal.SIGINT)),
    Fault("immediate restart", lambda server: server.restart(signal.SIGQUIT)),
    Fault("silent line, 5 s", lambda server: server.fall_silent(5)),
    Fault("stopped server, 4 s", lambda server: server.freeze(4)),
)
SHORT_FAULTS = (FAULTS[0], Fault("silent line, 2 s", lambda server: server.fall_silent(2)))


def drill(faults: tuple[Fault, ...] = FAULTS, calm_seconds: float = CALM_SECONDS) -> list[str]:
    """Print a line for each fault; what was not as it should be."""
    with tempfile.TemporaryDirectory(prefix="slipway-drill-") as folder:
        Path(folder).chmod(0o755)
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        with postgres:
            server = DatabaseServer(make_url(postgres.url(OWNER, "postgres")))
            asyncio.run(server.create_template())
            url = server.application_url(server.template)
            return asyncio.run(_run(postgres, Path(folder), url, faults, calm_seconds))


async def _run(
    postgres: EmbeddedPostgres, folder: Path, url: str, faults: tuple[Fault, ...], calm_seconds: float
) -> list[str]:
    async with FaultProxy("127.0.0.1", postgres.port) as line:
        drilled = DrilledServer(postgres, folder / "postgres" / "cluster", line)
        over_the_line = make_url(url).set(port=line.port).render_as_string(hide_password=False)
        serving = served(over_the_line)
        product = await asyncio.to_thread(serving.__enter__)
        try:
            await add_people(product, [PERSON])
            headers = await log_in(product, PERSON)
            found = [await _judge(fault, drilled, product, headers, calm_seconds) for fault in faults]
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
    return [problem for problems in found for problem in problems]


@dataclass(frozen=True)
class Findings:
    """What must never be, and what took too long."""

    wrong: list[str]
    late: list[str]


async def _judge(
    fault: Fault, drilled: DrilledServer, product: Product, headers: dict[str, str], calm_seconds: float
) -> list[str]:
    found = [await _suffer(fault, drilled, product, headers, calm_seconds)]
    if found[0].late:
        found += [await _suffer(fault, drilled, product, headers, calm_seconds) for _ in range(TWICE_MORE)]
    late = found[0].late if any(each.late for each in found[1:]) else []
    return [f"{fault.name}: {problem}" for problem in [*late, *(each for one in found for each in one.wrong)]]


async def _suffer(
    fault: Fault, drilled: DrilledServer, product: Product, headers: dict[str, str], calm_seconds: float
) -> Findings:
    async with (
        load(product, PAGE, rate=RATE, headers=headers) as pages,
        load(product, "/healthz", rate=10, headers={}) as probes,
    ):
        await asyncio.sleep(1)
        await fault.happens(drilled)
        over_at = time.monotonic()
        await asyncio.sleep(calm_seconds)
    recovery = max((pages.last_failure() or over_at) - over_at, 0)
    print(  # noqa: T201
        f"{fault.name}: {pages.statuses()}, slowest {pages.slowest():.2f} s, well again after {recovery:.2f} s; "
        f"/healthz {probes.statuses()}, slowest {probes.slowest():.2f} s"
    )
    return Findings(_wrong(pages, probes), _late(pages, probes, recovery))


def _wrong(pages: Load, probes: Load) -> list[str]:
    found = []
    if unexpected := set(pages.statuses()) - EXPECTED:
        found.append(f"answers {sorted(unexpected)}")
    if set(probes.statuses()) != {200}:
        found.append(f"/healthz answered {probes.statuses()}")
    return found


def _late(pages: Load, probes: Load, recovery: float) -> list[str]:
    """`/healthz` touches nothing: the longest that it took is the machine's own share in every other wait."""
    found, slack = [], SLACK + probes.slowest()
    if pages.slowest() > LONGEST_WAIT + slack:
        found.append(f"somebody waited {pages.slowest():.2f} s")
    if recovery > LONGEST_RECOVERY + slack:
        found.append(f"well again only after {recovery:.2f} s")
    if pages.answers[-1].status != 200:
        found.append("it did not recover")
    return found
