"""Running the development tools, which production does not have."""

import importlib.util
import subprocess
import sys
from collections.abc import Mapping, Sequence

from app.config import ROOT


def is_installed(tool: str) -> bool:
    return importlib.util.find_spec(tool) is not None


def run_tool(tool: str, *arguments: str, environment: Mapping[str, str] | None = None) -> int:
    """Run `python -m tool` in the repository, on our own terminal; returns its exit code. None: the environment is ours."""
    command = [sys.executable, "-m", tool, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode  # noqa: S603 (named by our commands)


def output_of(tool: str, arguments: Sequence[str]) -> tuple[int, str]:
    """Run `python -m tool` silently; returns its exit code and what it printed."""
    result = subprocess.run(  # noqa: S603 (named by our commands)
        [sys.executable, "-m", tool, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    return result.returncode, (result.stdout + result.stderr).strip()
