"""`python -m tests.drills [name]`: run the drills on a product of their own and print the figures."""

import sys

from tests.drills import enumeration_timing, log_in_burst
from tests.drills.product import running_product

DRILLS = {"log-in-burst": log_in_burst.drill, "enumeration-timing": enumeration_timing.drill}


def main(names: list[str]) -> int:
    """Run the named drills, or all; 0 if each kept its limits."""
    kept = True
    for name in names or DRILLS:
        print(f"-- {name}")  # noqa: T201
        with running_product() as product:
            is_kept = DRILLS[name](product)
        print("kept" if is_kept else "NOT KEPT")  # noqa: T201
        kept = kept and is_kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
