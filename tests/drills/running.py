"""Which drills there are, and how they are run: each on a product of its own, those that count side by side."""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from tests.databases import database_server, run_id
from tests.drills import (
    database_faults,
    enumeration_timing,
    full_disk,
    killed_workers,
    log_in_burst,
    moved_clock,
    rolling_restart,
    slow_provider,
)
from tests.drills.product import Product, running_product

Drill = Callable[[], list[str]]


def on_a_product(drill: Callable[[Product], bool]) -> Drill:
    """A drill that says only whether it kept its limits."""

    def run() -> list[str]:
        with running_product() as product:
            return [] if drill(product) else ["a limit was not kept (see above)"]

    return run


DRILLS: dict[str, Drill] = {
    "killed-workers": killed_workers.drill,
    "database-faults": database_faults.drill,
    "rolling-restart": rolling_restart.drill,
    "slow-provider": slow_provider.drill,
    "moved-clock": moved_clock.drill,
    "full-disk": full_disk.drill,
    "log-in-burst": on_a_product(log_in_burst.drill),
    "enumeration-timing": on_a_product(enumeration_timing.drill),
}


# What these promise is a count, which takes no harm from company; the others promise times, and have the machine for themselves.
COUNTING = ("rolling-restart", "killed-workers", "full-disk", "moved-clock")
LANES = 2

Result = tuple[str, float, list[str]]


@contextmanager
def shared_server() -> Iterator[None]:
    """One PostgreSQL, migrated once, for the drills that do not break it: each copies the template (tests/databases.py)."""
    with database_server() as server:
        os.environ["TEST_DATABASE_URL"] = server.owner.render_as_string(hide_password=False)
        os.environ["PYTEST_XDIST_TESTRUNUID"] = run_id()
        try:
            yield
        finally:
            asyncio.run(server.drop_database(server.template))


def run_drills(names: Iterable[str]) -> list[Result]:
    """The drills of these names, those that measure one after the other."""
    chosen = [name for name in DRILLS if name in names]
    with shared_server():
        return run_side_by_side(chosen) + [run(name) for name in chosen if name not in COUNTING]


def run_side_by_side(names: Iterable[str]) -> list[Result]:
    """The drills among these that bear company, each in a process of its own."""
    chosen = [name for name in COUNTING if name in names]
    if not chosen:
        return []
    # Spawned: asyncio, and what the drills start, begin anew. One drill a process, so that none inherits from another.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(LANES, mp_context=context, max_tasks_per_child=1) as lanes:
        return list(lanes.map(run, chosen))


def run(name: str) -> Result:
    """One drill: its name, the seconds it took, and what was not as it should be."""
    print(f"-- {name}", flush=True)  # noqa: T201
    os.environ["PYTEST_XDIST_WORKER"] = name  # What its database is called after.
    began = time.monotonic()
    try:
        problems = DRILLS[name]()
    except (Exception, SystemExit) as error:
        # The others can still be run; this one has not kept anything.
        problems = [f"it broke off: {type(error).__name__}: {error}"]
    return name, time.monotonic() - began, problems
