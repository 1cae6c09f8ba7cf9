"""The environment that other people's programs run in."""

import os
from pathlib import Path

from tests.environments import environment

PINS = Path(__file__).with_name("requirements.lock")


def python() -> Path:
    """The environment's interpreter. Raises NotInstalled."""
    return environment("compat", PINS) / "python"


def variables() -> dict[str, str]:
    """The variables of a process in that environment, which is told nothing about databases and other environments."""
    foreign = ("DATABASE_", "PYTEST_", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
