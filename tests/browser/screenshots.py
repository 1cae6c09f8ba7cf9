"""Photographs every page in light, dark and 375 px into .data/screenshots: `make screenshots`, then look at them."""

import contextlib
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, LOOKS, ROOT, Server, find_chromium, start_server, stop_server

TARGET = ROOT / ".data" / "screenshots"
PASSWORD = "a lantern on the third quay"
PUBLIC = {
    "landing": "/",
    "pricing": "/pricing",
    "terms": "/legal/terms",
    "sign-up": "/sign-up",
    "log-in": "/log-in",
    "forgot-password": "/forgot-password",
    "broken-link": "/verify-email?token=no",
    "not-found": "/nowhere",
    "api-reference": "/api/docs",
    "components": "/dev/components",
    "routes": "/dev/routes",
}
SIGNED_IN = {"dashboard": "", "members": "/members", "settings": "/settings"}


def photograph(page: Page, look: str, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=TARGET / f"{name}-{look}.png", full_page=True)


def photograph_pages(browser: Browser, server: Server, look: str) -> None:
    """Walk through the product once, as one person, and photograph each page on the way."""
    page = browser.new_context(**LOOKS[look]).new_page()
    for name, path in PUBLIC.items():
        page.goto(server.url + path)
        photograph(page, look, name)
    submit_mistakes(page, server, look)
    address = f"{secrets.token_hex(4)}@example.com"
    sign_up(page, server, look, address)
    page.goto(f"{server.url}/dev/mailbox")
    photograph(page, look, "mailbox")
    page.get_by_role("link").filter(has_text=re.compile("onfirm|address", re.IGNORECASE)).first.click()
    photograph(page, look, "message")
    enter(page, server, look, address)


def submit_mistakes(page: Page, server: Server, look: str) -> None:
    page.goto(f"{server.url}/sign-up")
    page.locator("main form").evaluate("form => form.noValidate = true")
    page.locator('main [name="email"]').fill("nowhere")
    page.get_by_role("main").get_by_role("button", name="Create account").click()
    photograph(page, look, "sign-up-mistakes")


def sign_up(page: Page, server: Server, look: str, address: str) -> None:
    page.goto(f"{server.url}/sign-up")
    for name, value in {"name": "Grace", "email": address, "password": PASSWORD}.items():
        page.locator(f'main [name="{name}"]').fill(value)
    page.get_by_role("main").get_by_role("button", name="Create account").click()
    photograph(page, look, "check-mail")


def enter(page: Page, server: Server, look: str, address: str) -> None:
    page.goto(server.mail(address)[0]["links"][0])
    photograph(page, look, "verify")
    page.get_by_role("main").get_by_role("button", name="Confirm address").click()
    photograph(page, look, "log-in-confirmed")
    page.locator('main [name="email"]').fill(address)
    page.locator('main [name="password"]').fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url("**/o/**")
    organization = page.url
    for name, path in SIGNED_IN.items():
        page.goto(organization + path)
        photograph(page, look, name)


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
    with running_server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, "--no-sandbox"])
        for look in LOOKS:
            photograph_pages(browser, server, look)
        browser.close()
    sys.stdout.write(f"{len(list(TARGET.iterdir()))} pictures are in {TARGET}\n")


if __name__ == "__main__":
    main()
