"""`python -m tests.drills [name …]`: run the drills; their figures first, a table at the end."""

import sys
import time

from tests.drills.running import DRILLS, run_drills


def main(names: list[str]) -> int:
    """Run the named drills, or all; 0 if each kept its limits."""
    if unknown := set(names) - set(DRILLS):
        raise SystemExit(f"There is no drill {sorted(unknown)}. There are: {', '.join(DRILLS)}")
    began = time.monotonic()
    rows = run_drills(names or DRILLS)
    print(f"\n{'drill':<22}{'seconds':>8}  result")  # noqa: T201
    for name, seconds, problems in rows:
        print(f"{name:<22}{seconds:>8.0f}  {'; '.join(problems) or 'kept'}")  # noqa: T201
    print(f"{'together':<22}{time.monotonic() - began:>8.0f}")  # noqa: T201
    return 1 if any(problems for _, _, problems in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
