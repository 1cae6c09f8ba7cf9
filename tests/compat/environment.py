"""The environment that other people's programs run in."""

import os
from pathlib import Path

from tests.environments import ROOT, environment

# The product's own as well, which the guides run.
PINS = (Path(__file__).with_name("requirements.lock"), ROOT / "requirements.lock")


def python() -> Path:
    """The environment's interpreter. Raises NotInstalled."""
    return environment("compat", *PINS) / "python"


def variables() -> dict[str, str]:
    """The variables of a process in that environment, which is told nothing about databases and other environments."""
    foreign = ("DATABASE_", "PYTEST_", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
