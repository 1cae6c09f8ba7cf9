"""The main job as a stranger does it: sign up, get the mail, verify, log in, see the dashboard, log out."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.steps import OTHER_PASSWORD, log_in, log_out, replace_password, sign_up, verify
from tests.browser.visitors import Visitor


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


def test_the_same_journey_works_without_scripts(plain_visitor: Visitor, server: Server, address: str) -> None:
    whole_journey(plain_visitor, server, address)


def test_a_forgotten_password_is_replaced(visitor: Visitor, server: Server, address: str) -> None:
    sign_up(visitor, address)
    verify(visitor, server, address)
    visitor.open("/forgot-password")
    replace_password(visitor, server, address, OTHER_PASSWORD)


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
