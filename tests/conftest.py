"""What all tests of the product share: the settings, and the database that they name."""

import gc
import importlib
from collections.abc import Iterator
from contextlib import suppress

import pytest

from app.config import Settings, load_settings
from tests.databases import DatabaseServer, database_server, worker_database
from tests.test_requirements import promised, proved

SECRET_KEY = "tests-only-5Vq0Yk3bWm8RzXcTn2LhJd7Pf9GsAe4UuBi6"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first, so that no process is left with one at the end; then the toolkit's.

    Some of those start event loops of their own, which the product's one loop would not let them.
    """
    order = (
        "tests/test_tutorial",
        "tests/test_guides",
        "tests/test_api_guide",
        "tests/app/projects/test_removal",
        "tests/core/",
    )
    items.sort(
        key=lambda item: next((place for place, name in enumerate(order) if item.nodeid.startswith(name)), len(order))
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let the garbage wait: each whole collection goes through all that was imported, which is a sixth of the suite's time."""
    gc.set_threshold(10_000)


def pytest_collection_finish(session: pytest.Session) -> None:
    """From now on no collection goes through what was imported and collected by then.

    Hypothesis, which its plugin imports in the end at the latest, looks for its generator among what is not frozen.
    """
    with suppress(ImportError):  # The environment of tests.compat does without it.
        importlib.import_module("hypothesis")
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many promises of docs/security.md have a test."""
    missing = sorted(promised() - proved())
    listed = f"; missing: {', '.join(missing)}" if missing else ""
    terminalreporter.write_line(
        f"docs/security.md: {len(promised()) - len(missing)} of {len(promised())} proved{listed}"
    )
    if cells := sum(_cells(report) for report in terminalreporter.stats.get("passed", [])):
        terminalreporter.write_line(f"Isolation: {cells} requests answered as tests/isolation/routes.toml says.")


def _cells(report: object) -> int:
    """How many combinations of route and actor a test has checked."""
    return sum(value for name, value in getattr(report, "user_properties", ()) if name == "cells")


@pytest.fixture(scope="session")
def server() -> Iterator[DatabaseServer]:
    with database_server() as server:
        yield server


@pytest.fixture(scope="session")
def database_name(server: DatabaseServer) -> Iterator[str]:
    with worker_database(server) as name:
        yield name


@pytest.fixture(scope="session")
def settings(server: DatabaseServer, database_name: str) -> Settings:
    """The settings of an installation behind HTTPS, so that cookies and headers are those of production."""
    return load_settings(
        {
            "ENVIRONMENT": "test",
            "SECRET_KEY": SECRET_KEY,
            "BASE_URL": "https://slipway.test",
            "DATABASE_URL": server.application_url(database_name),
            "DATABASE_OWNER_URL": server.owner_url(database_name),
            "LOG_LEVEL": "warning",
            "PASSWORD_MEMORY": "64",  # A third of the suite's time would go into hashing.
        }
    )
