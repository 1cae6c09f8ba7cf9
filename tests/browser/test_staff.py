"""The staff's pages and the previews of messages, in a browser."""

import re

from playwright.sync_api import expect

from app.accounts.routes import DEMO_PASSWORD
from app.staff.routes import DEMO_STAFF_EMAIL
from tests.browser.visitors import Visitor


def test_somebody_of_the_staff_looks_after_jobs_and_mail(visitor: Visitor, address: str) -> None:
    visitor.open("/sign-up")
    visitor.fill(name="Ada Lovelace", email=address, password="three boats on the river")
    visitor.page.get_by_role("checkbox").first.check()
    visitor.press("Create account")
    visitor.open("/log-in")
    visitor.fill(email=DEMO_STAFF_EMAIL, password=DEMO_PASSWORD)
    visitor.press("Log in")
    expect(visitor.page).not_to_have_url(re.compile("/log-in"))

    visitor.open("/staff")
    assert visitor.heading() == "Jobs"
    expect(visitor.page.get_by_role("row", name=re.compile("jobs.trim_log"))).to_be_visible()
    visitor.open(f"/staff/mail?to={address}")
    visitor.page.get_by_role("main").get_by_role("row").get_by_role("link").first.click()
    expect(visitor.page.get_by_role("main").get_by_text(address)).to_be_visible()
    visitor.inspect()
    visitor.open("/staff/mail/suppressions")
    assert visitor.heading() == "Suppressed addresses"
    visitor.open("/staff/lost-access")
    assert visitor.heading() == "Lost access"


def test_a_developer_looks_at_a_message_in_german_and_in_the_dark(visitor: Visitor) -> None:
    visitor.open("/dev/emails")
    visitor.page.get_by_role("link", name="accounts/new_device").click()
    visitor.page.get_by_role("link", name="de", exact=True).click()
    visitor.page.get_by_role("link", name="Dark").click()
    expect(visitor.page).to_have_url(re.compile("language=de&scheme=dark"))
    frame = visitor.page.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("Neues Gerät")
    assert frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(18, 22, 28)"
    visitor.inspect()
