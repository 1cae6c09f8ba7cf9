"""Logging in without a password, looking through one's sessions, and confirming who one is."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.server import Server
from tests.browser.steps import OTHER_PASSWORD, PASSWORD, log_in, sign_up, verify
from tests.browser.visitors import LOOKS, Visitor

CODE = re.compile(r"^(\d{6})$", re.MULTILINE)


def mailed_code(server: Server, address: str) -> str:
    found = CODE.search(server.mail(address)[0]["text"])
    assert found is not None
    return found[1]


def ask_for_mail(visitor: Visitor, address: str) -> None:
    visitor.open("/log-in")
    visitor.follow(visitor.page.get_by_role("link", name="Log in by mail"))
    visitor.fill(email=address)
    visitor.press("Send the message")


def become(visitor: Visitor, server: Server, address: str) -> None:
    """Sign up and prove the address by the code."""
    sign_up(visitor, address)
    visitor.fill(code=mailed_code(server, address))
    visitor.press("Confirm address")
    expect(visitor.page).to_have_url(re.compile("/log-in"))


def log_in_by_code(visitor: Visitor, server: Server, address: str) -> None:
    ask_for_mail(visitor, address)
    visitor.fill(code="000000")
    visitor.press("Log in")
    expect(visitor.page.locator('[aria-invalid="true"]')).to_have_count(1)
    visitor.fill(code=mailed_code(server, address))
    visitor.press("Log in")
    expect(visitor.page).to_have_url(re.compile("/o/"))


@pytest.fixture
def second_visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    context = browser.new_context(**LOOKS["mobile"])
    yield Visitor(context, server)
    context.close()


def test_people_log_in_by_a_mailed_code_and_end_the_session_elsewhere(
    visitor: Visitor, second_visitor: Visitor, server: Server, address: str
) -> None:
    become(visitor, server, address)
    log_in_by_code(visitor, server, address)
    second_visitor.open("/log-in")
    log_in(second_visitor, address)
    assert server.mail(address)[0]["subject"].startswith("New log-in")

    visitor.open("/account/sessions")
    expect(visitor.page.get_by_text("This device")).to_have_count(1)
    visitor.press("End")
    expect(visitor.page.get_by_text("That session is over.")).to_be_visible()
    second_visitor.page.goto(f"{server.url}/account/sessions")
    expect(second_visitor.page).to_have_url(re.compile("/log-in"))


def test_people_log_in_by_a_mailed_link_without_scripts(plain_visitor: Visitor, server: Server, address: str) -> None:
    become(plain_visitor, server, address)
    ask_for_mail(plain_visitor, address)
    plain_visitor.page.goto(server.mail(address)[0]["links"][0])
    expect(plain_visitor.page).to_have_url(re.compile("/log-in/code/link$"))
    plain_visitor.press("Log in")
    expect(plain_visitor.page).to_have_url(re.compile("/o/"))
    plain_visitor.page.goto(f"{server.url}/account/sessions")
    expect(plain_visitor.page.get_by_text("Mailed link")).to_be_visible()


@pytest.mark.parametrize("look", ["mobile"], indirect=True)
def test_people_confirm_who_they_are_and_change_their_password(visitor: Visitor, server: Server, address: str) -> None:
    sign_up(visitor, address)
    verify(visitor, server, address)
    log_in(visitor, address)
    visitor.open("/confirm-identity?next=/account/password")
    visitor.fill(password="not the lantern at all")
    visitor.press("Confirm")
    expect(visitor.page.locator('[aria-invalid="true"]')).to_have_count(1)
    visitor.press("Mail me a code")
    visitor.fill(code=mailed_code(server, address))
    visitor.press("Confirm")
    expect(visitor.page).to_have_url(re.compile("/account/password$"))
    visitor.fill(current_password=PASSWORD, password=OTHER_PASSWORD)
    visitor.press("Change password")
    expect(visitor.page.get_by_text("Your password is changed")).to_be_visible()
