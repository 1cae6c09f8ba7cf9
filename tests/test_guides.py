"""The guides work as written: their files are written and their commands run, in a copy of the repository."""

import importlib.util
from pathlib import Path

import pytest

from tests.test_tutorial import ROOT, blocks, copy_repository, follow

GUIDES = ROOT / "docs" / "guides"


def follow_until(last: str, page: str, folder: Path) -> str:
    """Follow a guide as far as a command that holds `last`."""
    copy_repository(folder)
    printed = ""
    for block in blocks(GUIDES / page):
        printed += follow(block, folder)
        if block.language == "sh" and last in block.text:
            return printed
    raise AssertionError(f"{page} has no command with {last}.")


def needs(*libraries: str) -> pytest.MarkDecorator:
    missing = [library for library in libraries if importlib.util.find_spec(library) is None]
    return pytest.mark.skipif(bool(missing), reason=f"`make compat` has {', '.join(missing)}.")


def test_a_model_streams_tokens(tmp_path: Path) -> None:
    assert " passed" in follow_until("tests/app/completions", "ml.md", tmp_path)


@needs("sklearn")
def test_a_model_predicts_in_processes_of_its_own(tmp_path: Path) -> None:
    assert follow_until("tests/app/flowers", "ml.md", tmp_path).count(" passed") == 2


@needs("fastapi")
def test_a_fastapi_application_is_a_part_of_the_product(tmp_path: Path) -> None:
    assert " passed" in follow_until("tests/app/legacy", "fastapi.md", tmp_path)
