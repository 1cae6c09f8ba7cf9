"""docs/core/hardening.md says which test stands for which known weakness: they exist, and none is left out."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent.parent / "docs" / "core" / "hardening.md"
NAMED = re.compile(r"`([a-z_/]+\.py)::(test_\w+)`")
DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)
# How a test says that it stands for a weakness that somebody had.
OF_A_WEAKNESS = re.compile(r"test_(cve|ghsa|advisory)_")


def named_tests() -> set[tuple[str, str]]:
    return {(file, name) for file, name in NAMED.findall(PAGE.read_text(encoding="utf-8"))}


def defined_tests() -> set[tuple[str, str]]:
    return {
        (path.relative_to(TESTS).as_posix(), name)
        for path in TESTS.rglob("test_*.py")
        for name in DEFINED.findall(path.read_text(encoding="utf-8"))
    }


def test_every_test_that_the_page_names_exists() -> None:
    assert len(named_tests()) > 50
    assert named_tests() - defined_tests() == set()


def test_every_test_of_a_known_weakness_is_on_the_page() -> None:
    of_a_weakness = {(file, name) for file, name in defined_tests() if OF_A_WEAKNESS.match(name)}
    assert of_a_weakness - named_tests() == set()


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    headings = [row for row in rows if "::" not in row]
    assert len(headings) == 4, "Two tables, each with a line of titles and one of dashes, have no tests."
