"""The environment that other people's programs run in, kept in .data/compat between runs."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PINS = Path(__file__).with_name("requirements.lock")
FOLDER = ROOT / ".data" / "compat"


def python() -> Path:
    """The environment's interpreter. Raises CalledProcessError if something could not be installed."""
    environment = FOLDER / "environment"
    interpreter = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    mark = environment / f"installed-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]}"
    if not mark.exists():
        shutil.rmtree(environment, ignore_errors=True)
        _uv("venv", "--python", sys.executable, str(environment))
        _uv("pip", "sync", "--require-hashes", "--python", str(interpreter), str(PINS))
        mark.touch()
    return interpreter


def variables() -> dict[str, str]:
    """The variables of a process in that environment, which is told nothing about databases and other environments."""
    foreign = ("DATABASE_", "PYTEST_", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], check=True)
