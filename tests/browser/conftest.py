"""A real server and a real Chromium for the journeys."""

import os
import secrets
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser.server import Server, start_server, stop_server
from tests.browser.visitors import LOOKS, PlainVisitor, Visitor

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    running = start_server(folder)
    yield running
    stop_server(running)


def find_chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a Chromium: install Debian's package chromium.")
        pytest.skip("No Chromium was found. Install one, or name it: CHROMIUM=/path/to/chromium.")
    # Chromium cannot make its sandbox as root, which is who a container runs as.
    flags = [*CHROMIUM_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(CHROMIUM_FLAGS)
    running = playwright.chromium.launch(executable_path=path, args=flags)
    yield running
    running.close()


@pytest.fixture(params=list(LOOKS))
def look(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs in light, dark and at the width of a phone."""
    return str(request.param)


@pytest.fixture
def visitor(browser: Browser, server: Server, look: str) -> Iterator[Visitor]:
    context = browser.new_context(**LOOKS[look])
    yield Visitor(context, server)
    context.close()


@pytest.fixture
def plain_visitor(browser: Browser, server: Server) -> Iterator[PlainVisitor]:
    """Somebody whose browser runs no scripts."""
    context = browser.new_context(**LOOKS["light"], java_script_enabled=False)
    yield PlainVisitor(context, server)
    context.close()


@pytest.fixture
def address() -> str:
    """An e-mail address that no other test uses."""
    return f"{secrets.token_hex(6)}@example.com"
