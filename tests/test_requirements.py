"""Every promise of docs/security.md has a test that carries its id."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROMISE = re.compile(r"^\| ([A-Z]{3}-\d+) \|", re.MULTILINE)


def promised() -> set[str]:
    return set(PROMISE.findall((ROOT / "docs/security.md").read_text()))


def proved() -> set[str]:
    """The ids in `@pytest.mark.requirement(...)` and `pytestmark` of all tests; read, not imported, so that it is quick."""
    return {name for path in (ROOT / "tests").rglob("test_*.py") for name in _ids(ast.parse(path.read_text()))}


def _ids(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
            yield from (str(ast.literal_eval(argument)) for argument in node.args)


def test_every_promise_is_proved() -> None:
    assert sorted(promised() - proved()) == []


def test_no_test_proves_what_is_not_promised() -> None:
    assert sorted(proved() - promised()) == []
