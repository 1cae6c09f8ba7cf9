"""`import starlette` gives core, in programs that ask for it."""

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import core.middleware.cors
from core.compat import StarletteFinder, install

ROOT = Path(__file__).parents[2]


def run(program: str) -> str:
    """What a program prints. Fails with what it complained about."""
    command = [sys.executable, "-W", "error", "-c", program]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def test_starlettes_modules_are_cores_own() -> None:
    program = """
import core.compat
core.compat.install()
core.compat.install()
import starlette.middleware.cors, starlette
from starlette.applications import Starlette
from starlette.routing import Route
import core.applications, core.middleware.cors, core.routing
print(Starlette is core.applications.Starlette, Route is core.routing.Route, starlette.middleware.cors is core.middleware.cors)
print(starlette is core, core.routing.__spec__.name, core.routing.__name__, starlette.__version__ == core.__version__)
"""
    assert run(program) == "True True True\nTrue core.routing core.routing True"


@pytest.fixture
def importing() -> Iterator[None]:
    """Leaves the import system as it was."""
    finders, modules = sys.meta_path[:], dict(sys.modules)
    yield
    sys.meta_path[:] = finders
    for name in sys.modules.keys() - modules.keys():
        del sys.modules[name]


@pytest.mark.usefixtures("importing")
def test_a_module_keeps_its_own_name_and_stays_one() -> None:
    install()
    install()
    theirs: Any = importlib.import_module("starlette.middleware.cors")
    assert theirs.__spec__.name == "core.middleware.cors"
    assert theirs is core.middleware.cors
    assert sum(isinstance(finder, StarletteFinder) for finder in sys.meta_path) == 1


@pytest.mark.usefixtures("importing")
def test_what_core_does_not_have_is_not_found() -> None:
    install()
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'starlette.nothing': core has no such module"):
        importlib.import_module("starlette.nothing")
    assert importlib.util.find_spec("starlettes") is None


@pytest.mark.usefixtures("importing")
def test_it_is_too_late_when_starlette_is_there() -> None:
    sys.modules["starlette"] = ModuleType("starlette")
    with pytest.raises(RuntimeError, match="before anything that imports it"):
        install()
