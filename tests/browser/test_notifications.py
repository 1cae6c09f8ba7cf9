"""The bell: what happens in one browser is seen in another without reloading, and without scripts after it."""

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.server import Server
from tests.browser.steps import enter, enter_demonstration
from tests.browser.visitors import Visitor


@pytest.fixture
def ada(browser: Browser, server: Server) -> Iterator[Visitor]:
    """The owner of the demonstration, logged in, with a team of her own."""
    context = browser.new_context()
    visitor = Visitor(context, server)
    enter_demonstration(visitor)
    name = f"Boats {secrets.token_hex(4)}"
    visitor.page.goto(f"{server.url}/organizations/new")
    visitor.fill(name=name)
    visitor.page.get_by_role("main").get_by_role("button", name="Create team").click()
    expect(visitor.page).to_have_url(re.compile("/o/boats"))
    yield visitor
    context.close()


def invite(visitor: Visitor, address: str) -> None:
    slug = visitor.page.url.partition("/o/")[2].partition("/")[0]
    visitor.page.goto(f"{visitor.server.url}/o/{slug}/invitations/new")
    visitor.page.locator('main [name="emails"]').fill(address)
    visitor.page.get_by_role("main").get_by_role("button", name="Send invitations").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()


def test_an_event_in_one_browser_is_seen_in_another_at_once(
    browser: Browser, ada: Visitor, visitor: Visitor, server: Server, address: str
) -> None:
    enter(visitor, server, address)
    bell = visitor.page.locator("[data-bell]:visible").first
    expect(bell).to_have_attribute("data-bell", "/events")
    expect(bell.locator("[data-bell-count]")).to_be_hidden()
    invite(ada, address)
    expect(bell.locator("[data-bell-count]")).to_have_text("1", timeout=15_000)
    expect(visitor.page).to_have_title(re.compile(r"^\(1\) "))

    plain = browser.new_context(java_script_enabled=False, storage_state=visitor.page.context.storage_state())
    page = plain.new_page()
    page.goto(visitor.page.url)
    expect(page.get_by_role("link", name="One unread notification").first).to_be_visible()
    plain.close()

    visitor.open("/notifications")
    visitor.page.get_by_role("main").get_by_role("button", name=re.compile("invites you to join Boats")).click()
    expect(visitor.page).to_have_url(re.compile("/organizations$"))
    expect(visitor.page.locator("[data-bell]:visible [data-bell-count]").first).to_be_hidden()
    visitor.open("/account/notifications")
