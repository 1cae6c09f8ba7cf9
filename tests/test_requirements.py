"""Every promise of docs/security.md has a test that carries its id."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MARK = re.compile(r"pytest\.mark\.requirement\(([^)]*)\)")
PROMISE = re.compile(r"^\| ([A-Z]{3}-\d+) \|", re.MULTILINE)


def promised() -> set[str]:
    return set(PROMISE.findall((ROOT / "docs/security.md").read_text()))


def proved() -> set[str]:
    """The ids in `@pytest.mark.requirement(...)` and `pytestmark` of all tests; read, not imported, so that it is quick."""
    texts = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in texts for mark in MARK.findall(text) for name in re.findall('"([^"]+)"', mark)}


def test_every_promise_is_proved() -> None:
    assert sorted(promised() - proved()) == []


def test_no_test_proves_what_is_not_promised() -> None:
    assert sorted(proved() - promised()) == []
