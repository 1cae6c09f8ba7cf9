"""`python -m tests.drills [name …]`: run the drills, each on a product of its own; figures first, a table at the end."""

import sys
import time
from collections.abc import Callable

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


def main(names: list[str]) -> int:
    """Run the named drills, or all; 0 if each kept its limits."""
    if unknown := set(names) - set(DRILLS):
        raise SystemExit(f"There is no drill {sorted(unknown)}. There are: {', '.join(DRILLS)}")
    rows = [run(name) for name in names or DRILLS]
    print(f"\n{'drill':<22}{'seconds':>8}  result")  # noqa: T201
    for name, seconds, problems in rows:
        print(f"{name:<22}{seconds:>8.0f}  {'; '.join(problems) or 'kept'}")  # noqa: T201
    return 1 if any(problems for _, _, problems in rows) else 0


def run(name: str) -> tuple[str, float, list[str]]:
    """One drill: its name, the seconds it took, and what was not as it should be."""
    print(f"-- {name}", flush=True)  # noqa: T201
    began = time.monotonic()
    try:
        problems = DRILLS[name]()
    except Exception as error:
        # The others can still be run; this one has not kept anything.
        problems = [f"it broke off: {type(error).__name__}: {error}"]
    return name, time.monotonic() - began, problems


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
