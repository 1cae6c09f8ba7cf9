"""Workers that are killed at any moment: every job is done all the same, and its effect is there once."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import text

from app.database import Database
from app.jobs.actions import enqueue
from tests.databases import database_server, worker_database
from tests.drills.nursery import take_effect
from tests.drills.product import ROOT

KILLS = 100
JOBS_A_KILL = 20
WORKERS = 3
BETWEEN_KILLS = (0.1, 0.3)  # Seconds.
LONGEST_REST = 90.0
TABLES = ("drill_tries (number int)", "drill_effects (number int PRIMARY KEY)", "drill_consequences (number int)")

__all__ = ["drill", "take_effect"]


class Nursery:
    """Starts workers, and kills them."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.workers: list[int] = []

    def start(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.workers.append(int(self._process.stdout.readline()))

    def kill(self, worker: int) -> None:
        self.workers.remove(worker)
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


@contextmanager
def nursery(url: str) -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.drills.nursery", url]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        found = Nursery(process)
        try:
            yield found
        finally:
            for worker in list(found.workers):
                found.kill(worker)
            process.kill()


def drill(kills: int = KILLS) -> list[str]:
    """Print the figures; what was not as it should be."""
    with database_server() as server, worker_database(server) as name:
        return asyncio.run(_run(server.application_url(name), server.owner_url(name), kills))


async def _run(url: str, owner_url: str, kills: int) -> list[str]:
    await _make_tables(owner_url)
    database = Database(url)
    began = time.monotonic()
    try:
        with nursery(url) as workers:
            for _ in range(WORKERS):
                await asyncio.to_thread(workers.start)
            for round_number in range(kills):
                await _enqueue(database, range(round_number * JOBS_A_KILL, (round_number + 1) * JOBS_A_KILL))
                await asyncio.sleep(random.uniform(*BETWEEN_KILLS))  # noqa: S311
                workers.kill(random.choice(workers.workers))  # noqa: S311
                await asyncio.to_thread(workers.start)
            await _until_done(database)
        await _until_gone(database)
        return await _problems(database, kills, time.monotonic() - began)
    finally:
        await database.close()


async def _make_tables(owner_url: str) -> None:
    owner = Database(owner_url)
    async with owner.transaction() as db:
        for table in TABLES:
            await db.execute(text(f"CREATE TABLE {table}"))
            await db.execute(text(f"GRANT SELECT, INSERT ON {table.split()[0]} TO PUBLIC"))
    await owner.close()


async def _enqueue(database: Database, numbers: range) -> None:
    async with database.transaction() as db:
        for number in numbers:
            await enqueue(db, "drills.take_effect", {"number": number})


async def _until_done(database: Database) -> None:
    deadline = time.monotonic() + LONGEST_REST
    while time.monotonic() < deadline:
        if not await _count(database, "pgqueuer WHERE status <> 'failed'"):
            return
        await asyncio.sleep(0.2)


async def _until_gone(database: Database) -> None:
    """Until the server has noticed that those who were killed last are dead: they are in the way of dropping the database."""
    own = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + LONGEST_REST
    while await _count(database, own) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)


async def _count(database: Database, rows: str) -> int:
    async with database.transaction() as db:
        return int(await db.scalar(text(f"SELECT count(*) FROM {rows}")) or 0)  # noqa: S608 (constants)


async def _problems(database: Database, kills: int, seconds: float) -> list[str]:
    jobs = kills * JOBS_A_KILL
    tries, effects, consequences, left = [
        await _count(database, table) for table in ("drill_tries", "drill_effects", "drill_consequences", "pgqueuer")
    ]
    print(  # noqa: T201
        f"{kills} workers killed over {jobs} jobs in {seconds:.0f} s: {jobs - effects} lost, "
        f"{consequences - effects} effects doubled, {tries - jobs} tries repeated, {left} left in the queue"
    )
    found = {"lost": jobs - effects, "doubled": consequences - effects, "left in the queue": left}
    return [f"{number} {name}" for name, number in found.items() if number]
