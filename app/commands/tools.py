"""Running the development tools, which production does not have."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence

from app.config import ROOT


def is_installed(tool: str) -> bool:
    return importlib.util.find_spec(tool) is not None


def run_tool(tool: str, *arguments: str) -> int:
    """Run `python -m tool` in the repository, on our own terminal; returns its exit code."""
    return subprocess.run([sys.executable, "-m", tool, *arguments], cwd=ROOT).returncode  # noqa: S603 (named by our commands)


def output_of(tool: str, arguments: Sequence[str]) -> tuple[int, str]:
    """Run `python -m tool` silently; returns its exit code and what it printed."""
    result = subprocess.run(  # noqa: S603 (named by our commands)
        [sys.executable, "-m", tool, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    return result.returncode, (result.stdout + result.stderr).strip()
