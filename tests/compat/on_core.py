"""A plugin for pytest that puts core in Starlette's place before any program is imported, and sees that it stays there."""

import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

import core.compat
import core.routing

core.compat.install()


@pytest.fixture(autouse=True, scope="session")
def starlette_is_never_reached() -> Iterator[None]:
    """Fails the run if a module came from the Starlette that is installed beside the programs."""
    yield
    assert sys.modules["starlette.routing"] is core.routing
    assert modules_of_starlette() == []


def modules_of_starlette() -> list[str]:
    folder = Path(str(distribution("starlette").locate_file("starlette")))
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return sorted(name for name, file in files.items() if file and folder in Path(file).parents)
