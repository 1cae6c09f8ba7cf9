"""What a run says: per file, how many of the suite's tests pass, and which misses nobody knew of."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

MANIFEST: dict[str, int] = json.loads(Path(__file__).with_name("manifest.json").read_text())
KNOWN_MISSES = Path(__file__).with_name("known_misses.txt")


@dataclass(frozen=True)
class Outcome:
    """The tests that ran, by file and name, and what went wrong in those that failed."""

    passed: frozenset[tuple[str, str]]
    failed: dict[tuple[str, str], str]


def read_results(path: Path) -> Outcome:
    """Read pytest's JUnit file. Expected failures count as passed, tests skipped for the platform do not count."""
    passed, failed = set(), {}
    for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314 (written by our own pytest)
        test = _file_of(case.get("classname", "")), case.get("name", "")
        problem = case.find("failure")
        problem = case.find("error") if problem is None else problem
        skipped = case.find("skipped")
        if problem is not None:
            failed[test] = problem.get("message", "").strip().partition("\n")[0]
        elif skipped is None or skipped.get("type") == "pytest.xfail":
            passed.add(test)
    return Outcome(frozenset(passed - failed.keys()), failed)


def known_misses() -> set[str]:
    """The tests, without their parameters, that core means to fail; docs/conformance.md has the reasons."""
    lines = (line.partition("#")[0].strip() for line in KNOWN_MISSES.read_text().splitlines())
    return {line for line in lines if line}


def describe(outcome: Outcome, *, is_selection: bool) -> Iterable[str]:
    """The lines to print. The manifest's counts apply to whole runs only: a file that is not imported counts as failed."""
    passed = collections.Counter(file for file, _ in outcome.passed)
    total = passed + collections.Counter(file for file, _ in outcome.failed) if is_selection else MANIFEST
    for file in sorted(total):
        if passed[file] != total[file]:
            yield f"{file:45} {passed[file]:4} of {total[file]:4}"
    known = known_misses()
    for (file, name), message in sorted(outcome.failed.items()):
        mark = "known" if _identifier(file, name) in known else "NEW"
        yield f"{mark:5} {file}::{name}: {message}"
    yield f"passed {sum(passed.values())} of {sum(total.values())}"


def unknown_misses(outcome: Outcome) -> list[str]:
    """The failures that are not among the known misses."""
    known = known_misses()
    return [f"{file}::{name}" for file, name in outcome.failed if _identifier(file, name) not in known]


def _file_of(class_name: str) -> str:
    """`tests.middleware.test_base` as a path; of a class of tests, the file it is in."""
    parts = class_name.split(".")
    while len(parts) > 1 and not parts[-1].startswith("test_"):
        parts.pop()
    return "/".join(parts) + ".py"


def _identifier(file: str, name: str) -> str:
    return f"{file}::{name.partition('[')[0]}"
