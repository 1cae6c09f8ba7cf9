"""What a run says: of each program its version, how many checks passed, and which did not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree


@dataclass
class Outcome:
    """The checks of one program: how many passed, and by name why the others did not."""

    passed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.passed + len(self.failed) + len(self.known)

    @property
    def is_good(self) -> bool:
        return self.passed > 0 and not self.failed


def read_outcome(path: Path) -> Outcome:
    """Read pytest's JUnit file. A check that is expected to fail is known, with its reason; a skipped one has failed."""
    outcome = Outcome()
    if not path.exists():
        outcome.failed["(all)"] = "pytest did not get as far as running them."
        return outcome
    for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314 (written by our own pytest)
        name, problem = case.get("name", ""), case.find("*[@message]")
        if problem is None:
            outcome.passed += 1
        elif problem.get("type") == "pytest.xfail":
            outcome.known[name] = problem.get("message", "")
        else:
            outcome.failed[name] = problem.get("message", "").strip().partition("\n")[0]
    return outcome


def describe(name: str, version: str, outcome: Outcome) -> Iterator[str]:
    yield f"{name:22} {version:10} {outcome.passed:3} of {outcome.total:3}"
    for mark, checks in (("known", outcome.known), ("WRONG", outcome.failed)):
        for check, reason in checks.items():
            yield f"    {mark} {check}: {reason}"
