"""`import starlette` gives core, in programs that ask for it: each in a process of its own."""

import subprocess
import sys
from pathlib import Path

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


def test_what_core_does_not_have_is_not_found() -> None:
    program = """
import core.compat
core.compat.install()
try:
    import starlette.nothing
except ModuleNotFoundError as error:
    print(error)
import json.decoder
"""
    assert run(program) == "No module named 'starlette.nothing': core has no such module"


def test_it_is_too_late_when_starlette_is_there() -> None:
    program = """
import sys, types
sys.modules["starlette"] = types.ModuleType("starlette")
import core.compat
try:
    core.compat.install()
except RuntimeError as error:
    print(error)
"""
    assert "call core.compat.install() before" in run(program)
