"""Environments of their own for programs that must not share ours, kept in .data/ between runs.

pip installs them, because it is configured on every machine that can install anything.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSTALL_SECONDS = 600


class NotInstalled(SystemExit):
    """The end of a command that cannot prepare its environment; the message says why."""


def environment(name: str, *pins: Path) -> Path:
    """The folder with the programs of an environment that has just what the files pin, with hashes. Raises NotInstalled.

    Of two versions the later file's counts.
    """
    folder = ROOT / ".data" / name / "environment"
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in pins))
    mark = folder / f"installed-{digest.hexdigest()[:16]}"
    with alone(folder):
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            pip = [
                str(programs / "python"),
                "-m",
                "pip",
                "--quiet",
                "--disable-pip-version-check",
                "install",
                "--no-deps",
            ]
            for file in pins:
                install([*pip, "--require-hashes", "--requirement", str(file)])
            mark.touch()
    return programs


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep the other processes of a test run from making the same environment at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name("environment.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(command: list[str], directory: Path | None = None) -> None:
    """Run an installer, which has said itself what went wrong if it fails. Raises NotInstalled."""
    try:
        subprocess.run(command, cwd=directory, check=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as failure:
        raise NotInstalled(f"{command[0]} could not install: is the package index reachable? {failure}") from None
    except subprocess.TimeoutExpired:
        raise NotInstalled(
            f"{command[0]} did not answer for {INSTALL_SECONDS} seconds: is the package index reachable?"
        ) from None
