"""Every example on the pages of docs/core runs as written, and what the pages say of other files is so."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCUMENTATION = ROOT / "docs" / "core"

# The examples that are not run, by page and number, with the reason.
SKIPPED: dict[tuple[str, int], str] = {
    ("coming-from-starlette.md", 1): "It changes what a whole process imports; see test_compat.py.",
}

LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


@dataclass
class Page:
    """One page: its examples share a namespace and a directory, and run in their order."""

    name: str
    examples: list[tuple[str, str]]
    namespace: dict[str, Any] = field(default_factory=dict)
    finished: int = 0

    def run_up_to(self, number: int) -> None:
        """Run the examples up to this one that have not run yet: those before it may have run in another process."""
        self.namespace.setdefault("__name__", f"documentation.{self.name}")
        while self.finished <= number:
            info, code = self.examples[self.finished]
            self.finished += 1
            if info == "python":
                exec(compile(code, str(DOCUMENTATION / self.name), "exec", dont_inherit=True), self.namespace)  # noqa: S102


@cache
def page_of(name: str) -> Page:
    tokens = MarkdownIt().parse((DOCUMENTATION / name).read_text(encoding="utf-8"))
    blocks = [token for token in tokens if token.type == "fence" and token.info.split()[:1] == ["python"]]
    # Empty lines in front make the lines of a traceback those of the page.
    return Page(name, [(block.info.strip(), "\n" * ((block.map or [0])[0] + 1) + block.content) for block in blocks])


def pages() -> list[str]:
    return sorted(path.name for path in DOCUMENTATION.glob("*.md"))


def examples() -> list[Any]:
    return [
        pytest.param(name, number, id=f"{name}-{number}")
        for name in pages()
        for number in range(len(page_of(name).examples))
    ]


@pytest.fixture(scope="session")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documentation")


@pytest.mark.parametrize(("name", "number"), examples())
def test_an_example_runs_as_written(name: str, number: int, directories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_of(name)
    if page.examples[number][0] != "python":
        assert (name, number) in SKIPPED, "An example that is not run needs a reason in SKIPPED."
        pytest.skip(SKIPPED[name, number])
    directory = directories / name
    directory.mkdir(exist_ok=True)
    monkeypatch.chdir(directory)

    page.run_up_to(number)


def test_every_reason_belongs_to_an_example_that_is_not_run() -> None:
    for name, number in SKIPPED:
        assert page_of(name).examples[number][0] != "python"


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and others give to the headings of a page."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(page.read_text())}


def leads_somewhere(target: str, anchor: str, origin: Path) -> bool:
    page = origin.parent / target if target else origin
    return page.exists() and (not anchor or anchor in anchors(page))


@pytest.mark.parametrize("name", pages())
def test_the_links_of_a_page_lead_somewhere(name: str) -> None:
    page = DOCUMENTATION / name
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link[0]]

    assert [(target, anchor) for target, anchor in links if not leads_somewhere(target, anchor, page)] == []


def test_the_index_names_every_page() -> None:
    index = (DOCUMENTATION / "index.md").read_text(encoding="utf-8")

    assert [name for name in pages() if name != "index.md" and f"]({name})" not in index] == []


def test_every_public_module_has_its_place_on_a_page() -> None:
    modules = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "core").rglob("*.py")]
    public = [".".join(module.parts) for module in modules if not any(part.startswith("_") for part in module.parts)]
    text = "".join((DOCUMENTATION / name).read_text(encoding="utf-8") for name in pages())

    assert [module for module in sorted(public) if not re.search(rf"{re.escape(module)}\b", text)] == []


# The table "which feature the product uses where": a name, and the files or a dash.


def uses() -> Iterator[tuple[str, list[str]]]:
    for line in (DOCUMENTATION / "index.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[1].startswith("`"):
            # What stands in brackets behind a dash says what the product has instead.
            files = [] if cells[2].startswith("-") else CODE.findall(cells[2])
            yield CODE.findall(cells[1])[0], files


def is_used(name: str, file: str) -> bool:
    """Whether the file imports the name, or contains it where it is no module's."""
    source = (ROOT / file).read_text(encoding="utf-8")
    if not name.startswith("core."):
        return name in source
    imports = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    imported = {f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    return any(each == name or each.startswith(f"{name}.") for each in imported)


@pytest.mark.parametrize(("name", "files"), [use for use in uses() if use[1]], ids=lambda value: str(value))
def test_the_product_uses_a_feature_where_the_index_says(name: str, files: list[str]) -> None:
    assert [file for file in files if not is_used(name, file)] == []
