"""The main job as a stranger does it: sign up, get the mail, verify, log in, see the dashboard, log out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import LOOKS, Server, Visitor

PASSWORD = "a lantern on the third quay"


def sign_up(visitor: Visitor, address: str) -> None:
    visitor.open("/")
    visitor.open("/sign-up")
    visitor.fill(name="Grace", email=address, password=PASSWORD)
    visitor.page.get_by_role("checkbox").check()
    visitor.press("Create account")
    expect(visitor.page).to_have_url(re.compile("/verify-email"))


def verify(visitor: Visitor, server: Server, address: str) -> None:
    (message,) = server.mail(address)
    visitor.page.goto(message["links"][0])
    visitor.inspect()
    visitor.press("Confirm address")
    expect(visitor.page).to_have_url(re.compile("/log-in"))


def log_in(visitor: Visitor, address: str, password: str = PASSWORD) -> None:
    visitor.fill(email=address, password=password)
    visitor.press("Log in")


def log_out(visitor: Visitor) -> None:
    menu = visitor.page.get_by_role("button", name="Menu", exact=True)
    if menu.is_visible():  # Narrow screens keep the sidebar in a sheet.
        menu.click()
    visitor.page.locator(".account-menu summary").click()
    visitor.page.get_by_role("button", name="Log out").click()
    visitor.page.wait_for_load_state("networkidle")
    visitor.inspect()


def whole_journey(visitor: Visitor, server: Server, address: str) -> None:
    sign_up(visitor, address)
    verify(visitor, server, address)
    log_in(visitor, address)
    expect(visitor.page).to_have_url(re.compile("/o/"))
    dashboard = visitor.page.url
    log_out(visitor)
    visitor.page.goto(dashboard)
    expect(visitor.page).to_have_url(re.compile("/log-in"))


def test_a_stranger_signs_up_verifies_logs_in_and_logs_out(visitor: Visitor, server: Server, address: str) -> None:
    whole_journey(visitor, server, address)


@pytest.fixture
def visitor_without_scripts(browser: Browser, server: Server) -> Iterator[Visitor]:
    context = browser.new_context(**LOOKS["light"], java_script_enabled=False)
    yield PlainVisitor(context, server)
    context.close()


class PlainVisitor(Visitor):
    """Someone whose browser runs no scripts; axe cannot look at their pages, so they only count headings."""

    def inspect(self) -> None:
        assert self.page.locator("h1").count() == 1
        assert self.problems == []


def test_the_same_journey_works_without_scripts(visitor_without_scripts: Visitor, server: Server, address: str) -> None:
    whole_journey(visitor_without_scripts, server, address)


def test_a_forgotten_password_is_replaced(visitor: Visitor, server: Server, address: str) -> None:
    sign_up(visitor, address)
    verify(visitor, server, address)
    visitor.open("/forgot-password")
    visitor.fill(email=address)
    visitor.press("Send the link")
    message = server.mail(address)[0]
    visitor.page.goto(message["links"][0])
    visitor.inspect()
    visitor.fill(password="another lantern on another quay")
    visitor.press("Set password")
    log_in(visitor, address, "another lantern on another quay")
    expect(visitor.page).to_have_url(re.compile("/o/"))


def test_mistakes_are_shown_beside_their_fields_and_what_was_typed_is_kept(visitor: Visitor) -> None:
    visitor.open("/sign-up")
    visitor.page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    visitor.fill(name="Grace", email="nowhere", password="short")
    visitor.press("Create account")
    assert visitor.page.locator('[name="name"]').input_value() == "Grace"
    assert visitor.page.locator('[name="email"]').input_value() == "nowhere"
    assert visitor.page.locator('[name="password"]').input_value() == ""
    assert visitor.page.locator('[aria-invalid="true"]').count() == 3


@pytest.mark.parametrize("path", ["/", "/pricing", "/log-in", "/forgot-password", "/nowhere", "/dev/components"])
def test_every_public_page_is_accessible_in_every_look(visitor: Visitor, path: str) -> None:
    visitor.open(path)
