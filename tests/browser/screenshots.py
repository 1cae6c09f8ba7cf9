"""Photographs every page that links lead to, in light, dark and 375 px, into .data/screenshots: `make screenshots`, then look.

A stranger, the demonstration's owner and one of its staff walk from page to page, once to each route.
"""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, Error, Page, sync_playwright

from app.accounts.routes import DEMO_EMAIL, DEMO_PASSWORD
from app.features import routes
from app.staff.routes import DEMO_STAFF_EMAIL
from core.routing import BaseRoute, Match
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium
from tests.browser.server import ROOT, Server, start_server, stop_server
from tests.browser.visitors import LOOKS

PATIENCE = 120_000  # In milliseconds: a long page on a busy machine.
TARGET = ROOT / ".data" / "screenshots"
# What no page links to.
STARTS = {
    "stranger": [
        "/",
        "/sign-up",
        "/verify-email?token=no",
        "/nowhere",
        "/dev/components",
        "/dev/emails",
        "/dev/mailbox",
        "/api/docs",
    ],
    "owner": ["/o", "/confirm-identity", "/log-in/two-factor", "/graphql"],
    "staff": ["/staff"],
}
PEOPLE = {"stranger": "", "owner": DEMO_EMAIL, "staff": DEMO_STAFF_EMAIL}


class Walk:
    """One person's way through the product: each route once, beginning with `paths`."""

    def __init__(self, page: Page, server: Server, known: list[BaseRoute], prefix: str) -> None:
        self._page = page
        self._server = server
        self._routes = known
        self._prefix = prefix
        self._seen: set[str] = set()

    def go(self, paths: Iterable[str]) -> None:
        waiting = list(paths)
        while waiting:
            path = waiting.pop(0)
            name = self._name_of(path)
            if name not in self._seen:
                self._seen.add(name)
                waiting += self._visit(path, name)

    def _name_of(self, path: str) -> str:
        """The name of the route that answers, or the path of a page that has none."""
        scope = {"type": "http", "method": "GET", "path": urlsplit(path).path, "root_path": "", "headers": []}
        found = (route for route in self._routes if route.matches(scope)[0] is Match.FULL)
        return getattr(next(found, None), "name", None) or path.strip("/").replace("/", "-")

    def _visit(self, path: str, name: str) -> list[str]:
        """Photograph a page; returns where its links lead within the product."""
        try:
            self._page.goto(self._server.url + path)
        except Error:
            return []  # It is a file to download.
        self._page.wait_for_load_state("networkidle")
        self._page.screenshot(path=TARGET / f"{self._prefix}-{name}.png", full_page=True)
        links = self._page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
        inside = (urlsplit(urljoin(path, link)) for link in links)
        return [to.path + (f"?{to.query}" if to.query else "") for to in inside if not to.netloc and to.path]


def walk_all(browser: Browser, server: Server, known: list[BaseRoute]) -> None:
    for look, options in LOOKS.items():
        for who, address in PEOPLE.items():
            page = browser.new_context(**options).new_page()
            page.set_default_timeout(PATIENCE)
            if address:
                log_in(page, server, address)
            Walk(page, server, known, f"{who}-{look}").go(STARTS[who])
            page.context.close()


def log_in(page: Page, server: Server, address: str) -> None:
    page.goto(f"{server.url}/log-in")
    page.locator('main [name="email"]').fill(address)
    page.locator('main [name="password"]').fill(DEMO_PASSWORD)
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = start_server(Path(folder))
        try:
            yield server
        finally:
            stop_server(server)


def main() -> None:
    chromium = find_chromium()
    if chromium is None:
        sys.exit("No Chromium was found. Install one, or name it: CHROMIUM=/path/to/chromium.")
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    known = routes(development=True)
    with running_server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, "--no-sandbox"])
        walk_all(browser, server, known)
        browser.close()
    sys.stdout.write(f"{len(list(TARGET.iterdir()))} pictures are in {TARGET}\n")


if __name__ == "__main__":
    main()
