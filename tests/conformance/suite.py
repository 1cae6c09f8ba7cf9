"""The suite and an environment with what it imports, kept in a cache between runs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

VERSION = "1.10.0"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


@dataclass(frozen=True)
class Suite:
    """Where the tests are, and the interpreter to run them with."""

    directory: Path
    python: Path


def prepare(cache: Path) -> Suite:
    """Fetch what is not in the cache yet. Raises CalledProcessError if the package index cannot be reached."""
    cache.mkdir(parents=True, exist_ok=True)
    python = _environment(cache / "environment")
    return Suite(_unpacked(cache, python), python)


def _environment(directory: Path) -> Path:
    python = directory / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    marker = directory / "requirements.txt"
    wanted = REQUIREMENTS.read_text()
    if not marker.exists() or marker.read_text() != wanted:
        venv.create(directory, clear=True, with_pip=True)
        _pip(python, "install", "--requirement", str(REQUIREMENTS))
        marker.write_text(wanted)
    return python


def _unpacked(cache: Path, python: Path) -> Path:
    name = f"starlette-{VERSION}"
    if not (cache / name / "tests").is_dir():
        _pip(python, "download", "--no-deps", "--no-binary", ":all:", "--dest", str(cache), f"starlette=={VERSION}")
        with tarfile.open(cache / f"{name}.tar.gz") as archive:
            # Only the tests: the package itself must not be importable by accident.
            members = [member for member in archive if member.name.startswith(f"{name}/tests/")]
            archive.extractall(cache, members, filter="data")
    return cache / name


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)
