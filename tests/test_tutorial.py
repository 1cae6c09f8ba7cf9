"""The tutorial works as written: its files are written, its commands are run, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMPILED = "__pycache__"
FENCE = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the word behind it ("file=…" or "skip"), and its text."""

    language: str
    note: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    for language, note, text in FENCE.findall(page.read_text()):
        yield Block(language, note, text)


def copy_repository(target: Path) -> None:
    """Copy the files, and what was compiled of them: that is good as long as a file keeps its size and time."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for folder in {Path(name).parent for name in listed.stdout.splitlines() if name.endswith(".py")}:
        if (ROOT / folder / COMPILED).is_dir():
            shutil.copytree(ROOT / folder / COMPILED, target / folder / COMPILED)
    (target / ".venv").symlink_to(sys.prefix)


def insert_lines(target: Path, diff: str) -> None:
    """Apply a diff whose hunk names no line numbers: the lines behind "+" go in after the line of context before them."""
    path = re.search(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE)
    hunk = diff.partition("@@")[2].partition("\n")[2].splitlines()
    assert path is not None
    old = "".join(f"{line[1:]}\n" for line in hunk if line.startswith(" "))
    new = "".join(f"{line[1:]}\n" for line in hunk)
    text = (target / path[1]).read_text()
    assert text.count(old) == 1, f"The lines around the change are not in {path[1]}:\n{old}"
    (target / path[1]).write_text(text.replace(old, new))


def run(command: str, folder: Path) -> str:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "PYTEST_", "PYTHONDONT"))
    }
    if sys.dont_write_bytecode:
        # To rewrite the assertions of all tests takes longer than to run those of a page.
        kept["PYTEST_ADDOPTS"] = "--assert=plain"
    done = subprocess.run(
        ["bash", "-ec", command], cwd=folder, env=kept, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def follow(block: Block, folder: Path) -> str:
    """Do what a block of a page says; returns what its commands printed."""
    if block.note.startswith("file="):
        path = folder / block.note.removeprefix("file=")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    elif block.language == "diff":
        insert_lines(folder, block.text)
    elif block.language == "sh" and block.note != "skip":
        return run(block.text, folder)
    return ""


def follow_page(page: Path, folder: Path) -> str:
    """Follow a page from its beginning to its end in a copy of the repository."""
    copy_repository(folder)
    return "".join(follow(block, folder) for block in blocks(page))


def test_the_tutorial_leads_to_a_tested_feature(tmp_path: Path) -> None:
    printed = follow_page(ROOT / "docs" / "tutorial.md", tmp_path)
    assert "hello.greet" in printed
    assert "/o/{slug}/ideas" in printed
    assert "permission ideas.suggest" in printed
    assert re.search(r"\b3 passed|\b\d\d+ passed", printed)


def test_a_first_route_is_one_file_and_six_lines() -> None:
    readme, tutorial = ((ROOT / name).read_text() for name in ("README.md", "docs/tutorial.md"))
    for page in (readme, tutorial):
        route = next(
            text for language, _, text in FENCE.findall(page) if "hello.greet" in text and language == "python"
        )
        assert len([line for line in route.splitlines() if line and not line.startswith("#")]) <= 6
