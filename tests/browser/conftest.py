"""A real server (`python -m app dev` with its own database) and a real Chromium for the journeys."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser import accessibility

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 60
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "mobile": {"viewport": {"width": 375, "height": 812}, "color_scheme": "light", "has_touch": True},
}


@dataclass
class Server:
    """The running product. `mail()` reads the development mailbox."""

    url: str
    process: subprocess.Popen[bytes]
    # The cookies of people who have logged in before, by their address.
    logged_in: dict[str, Any] = field(default_factory=dict)

    def mail(self, address: str) -> list[dict[str, Any]]:
        """Messages to `address`, newest first."""
        messages = httpx.get(f"{self.url}/dev/mailbox.json").raise_for_status().json()
        return [message for message in messages if message["to"] == address]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_server(folder: Path) -> Server:
    """Start `python -m app dev` with its data in `folder` and wait until it is ready."""
    port = free_port()
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DATABASE_OWNER_URL")
    }
    environment = inherited | {"PORT": str(port), "DATA_DIRECTORY": str(folder), "BASE_URL": f"http://127.0.0.1:{port}"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "dev"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server, folder / "server.log")
    return server


def wait_until_ready(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    stop_server(server)
    raise AssertionError(f"The server did not become ready:\n{log.read_text()}")


def stop_server(server: Server) -> None:
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGINT)
        server.process.wait(timeout=20)


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


# axe sets styles on elements to measure them, which the policy reports too: what counts is what came before.
COLLECT_REFUSALS = """
window.refusals = [];
document.addEventListener("securitypolicyviolation", (refusal) =>
  window.refusals.push(`${refusal.effectiveDirective} ${refusal.blockedURI} ${refusal.sourceFile}:${refusal.lineNumber}`));
"""


class Visitor:
    """A person at a browser: keeps a page, and what went wrong in it that a person would not see."""

    def __init__(self, context: BrowserContext, server: Server) -> None:
        self.server = server
        self.page: Page = context.new_page()
        self.page.add_init_script(COLLECT_REFUSALS)
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        # A status such as 422 is the expected answer of some steps.
        if kind == "error" and "Failed to load resource" not in text and "Content Security Policy" not in text:
            self.problems.append(f"{self.page.url}: {text}")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server.url}{path}")
        self.inspect()

    def log_in(self, email: str, password: str) -> None:
        """Log in, by the form only once a run: the product slows down whoever does it as often as all tests together."""
        context = self.page.context
        context.add_cookies(self.server.logged_in.get(email, []))
        self.open("/o")
        if "/log-in" in self.page.url:
            self.fill(email=email, password=password)
            self.press("Log in")
            self.server.logged_in[email] = context.cookies()

    def fill(self, **fields: str) -> None:
        for label, value in fields.items():
            self.page.locator(f'main [name="{label}"]').fill(value)

    def press(self, name: str) -> None:
        """Press the button `name` in the page's main part, wait for the next page and inspect that."""
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_load_state("networkidle")
        self.inspect()

    def inspect(self) -> None:
        """What holds for every page: accessible, one heading, no sideways scrolling, nothing refused by the policy."""
        assert self.problems == []
        assert self.page.evaluate("window.refusals") == []
        assert self.page.locator("h1").count() == 1
        overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{self.page.url} scrolls sideways by {overflow} px"
        assert accessibility.violations(self.page) == []

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()


@pytest.fixture
def visitor(browser: Browser, server: Server, look: str) -> Iterator[Visitor]:
    context = browser.new_context(**LOOKS[look])
    yield Visitor(context, server)
    context.close()


@pytest.fixture
def address() -> str:
    """An e-mail address that no other test uses."""
    return f"{secrets.token_hex(6)}@example.com"
