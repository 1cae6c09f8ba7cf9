"""One application a peer, each with the same pages, written as its users write it."""

import importlib
from typing import Any

from benchmarks.scenarios import Scenario

# Starlette runs the text that `core` runs, less what is declared in signatures.
MODULES = {"starlette": "starlette_api"}


def create(peer: str, scenario: Scenario) -> Any:
    """The peer's application with as many routes and such middleware as the scenario asks for."""
    module = importlib.import_module(f"benchmarks.applications.{MODULES.get(peer, peer)}")
    return module.create(scenario.routes, scenario.options)
