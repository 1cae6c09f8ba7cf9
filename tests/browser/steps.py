"""What people do in many journeys: sign up, prove their address, log in and out."""

import re

from playwright.sync_api import expect

from app.accounts.routes import DEMO_EMAIL, DEMO_PASSWORD
from tests.browser.server import Server
from tests.browser.visitors import Visitor

PASSWORD = "a lantern on the third quay"
OTHER_PASSWORD = "another lantern on another quay"


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


def enter(visitor: Visitor, server: Server, address: str) -> None:
    """From a stranger to somebody who has just logged in. What they see on the way is what test_main_journey looks at."""
    submit(visitor, "/sign-up", name="Grace", email=address, password=PASSWORD, terms="true")
    submit(visitor, "/verify-email", token=link_in(server, address, "/verify-email").partition("token=")[2])
    submit(visitor, "/log-in", email=address, password=PASSWORD)
    visitor.open("/o")
    expect(visitor.page).to_have_url(re.compile("/o/"))


def submit(visitor: Visitor, path: str, **fields: str) -> None:
    """Send a form without opening its page."""
    answer = visitor.page.context.request.post(f"{visitor.server.url}{path}", form=dict(fields))
    assert answer.ok, answer.text()


def link_in(server: Server, address: str, part: str) -> str:
    """The newest link to `part` that was mailed to an address."""
    links = (link for message in server.mail(address) for link in message["links"])
    return str(next(link for link in links if part in link))


def replace_password(visitor: Visitor, server: Server, address: str, password: str) -> None:
    """From the page for those who forgot theirs to being logged in with another."""
    visitor.fill(email=address)
    visitor.press("Send the link")
    visitor.page.goto(link_in(server, address, "/reset-password"))
    visitor.inspect()
    visitor.fill(password=password)
    visitor.press("Set password")
    log_in(visitor, address, password)
    expect(visitor.page).to_have_url(re.compile("/o/"))


def enter_demonstration(visitor: Visitor) -> None:
    """Log in as the owner of the demonstration's organization."""
    visitor.open("/log-in")
    log_in(visitor, DEMO_EMAIL, DEMO_PASSWORD)
    expect(visitor.page).to_have_url(re.compile("/o/"))


def log_out(visitor: Visitor) -> None:
    menu = visitor.page.get_by_role("button", name="Menu", exact=True)
    if menu.is_visible():  # Narrow screens keep the sidebar in a sheet.
        menu.click()
    visitor.page.locator(".account-menu summary").click()
    visitor.follow(visitor.page.get_by_role("button", name="Log out"))
