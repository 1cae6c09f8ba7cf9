"""The reference of the API in a browser: found by searching, tried by somebody who is logged in."""

from playwright.sync_api import expect

from app.accounts.routes import DEMO_EMAIL
from tests.browser.steps import enter_demonstration
from tests.browser.visitors import Visitor


def test_somebody_finds_an_operation_and_tries_it(visitor: Visitor) -> None:
    enter_demonstration(visitor)
    visitor.open("/api/docs")
    visitor.page.get_by_label("Search operations").fill("list /members")
    articles = visitor.page.locator("article[id^=operation-]:visible")
    expect(articles).to_have_count(1)
    expect(visitor.page.get_by_text("Operations shown: 1")).to_be_visible()

    articles.get_by_label("slug").fill("demo")
    articles.get_by_role("button", name="Send request").click()
    expect(articles.get_by_text("200 OK", exact=True)).to_be_visible()
    expect(articles.get_by_label("The answer", exact=True)).to_contain_text(f'"email": "{DEMO_EMAIL}"')
    visitor.check_accessibility()


def test_a_stranger_reads_and_finds_nothing_that_does_not_exist(visitor: Visitor) -> None:
    visitor.open("/api/docs")
    expect(visitor.page.get_by_role("button", name="Send request")).to_have_count(0)
    visitor.page.get_by_label("Search operations").fill("submarines")
    expect(visitor.page.get_by_text("No operation has these words")).to_be_visible()
    visitor.check_accessibility()
