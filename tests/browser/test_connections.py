"""Logging in with an account elsewhere in a browser, by the local provider: with scripts, and without."""

import re

from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.steps import log_out
from tests.browser.visitors import Visitor


def be(visitor: Visitor, address: str, name: str = "Grace Hopper") -> None:
    """Choose at the local provider who to be."""
    expect(visitor.page).to_have_url(re.compile("/dev/openid/authorize"))
    visitor.inspect()
    visitor.fill(name=name, email=address)
    visitor.page.get_by_role("button", name="Log in", exact=True).click()


def test_somebody_signs_up_elsewhere_disconnects_and_connects_again(
    visitor: Visitor, server: Server, address: str
) -> None:
    visitor.open("/log-in")
    visitor.page.get_by_role("button", name="Continue with Slipway ID").click()
    be(visitor, address)
    expect(visitor.page).to_have_url(re.compile("/o/grace-hopper"))
    visitor.inspect()

    visitor.open("/account/connections")
    visitor.follow(visitor.page.get_by_role("link", name="Disconnect Slipway ID"))
    visitor.press("Disconnect")
    expect(visitor.page.get_by_text("Slipway ID does not log you in any more.")).to_be_visible()
    assert server.mail(address)[0]["subject"] == "Slipway ID does not log you in any more"

    visitor.follow(visitor.page.get_by_role("link", name="Connect Slipway ID"))
    visitor.page.get_by_role("button", name="Connect Slipway ID").click()
    be(visitor, address)
    expect(visitor.page).to_have_url(re.compile("/account/connections"))
    expect(visitor.page.get_by_text("You can log in with Slipway ID from now on.")).to_be_visible()
    visitor.inspect()


def test_somebody_logs_in_elsewhere_without_scripts(plain_visitor: Visitor, address: str) -> None:
    visitor = plain_visitor
    for _ in range(2):
        visitor.open("/log-in")
        visitor.page.get_by_role("button", name="Continue with Slipway ID").click()
        be(visitor, address)
        expect(visitor.page).to_have_url(re.compile("/o/"))
        log_out(visitor)
    visitor.open("/log-in")
    expect(visitor.page.get_by_text("Last used")).to_be_visible()
