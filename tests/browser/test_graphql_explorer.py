"""The GraphQL explorer in a browser, with its script and without."""

from playwright.sync_api import Browser, expect

from app.accounts.routes import DEMO_EMAIL
from tests.browser.steps import enter_demonstration
from tests.browser.visitors import Visitor

ANSWER = f'"email": "{DEMO_EMAIL}"'


def test_somebody_runs_a_query_and_stays_on_the_page(visitor: Visitor) -> None:
    enter_demonstration(visitor)
    visitor.page.goto(f"{visitor.server.url}/graphql")
    answer, run = visitor.page.locator("[data-query-answer]"), visitor.page.get_by_role("button", name="Run query")
    expect(answer).to_be_hidden()
    run.click()
    expect(answer).to_contain_text(ANSWER)
    assert visitor.page.url.endswith("/graphql")
    visitor.page.get_by_label("Variables, as JSON").fill("{")
    run.click()
    expect(answer).to_have_text("The variables are not valid JSON.")
    visitor.inspect()


def test_without_a_script_the_form_leads_to_the_same_answer(visitor: Visitor, browser: Browser) -> None:
    enter_demonstration(visitor)
    state = visitor.page.context.storage_state()
    page = browser.new_context(java_script_enabled=False, storage_state=state).new_page()
    page.goto(f"{visitor.server.url}/graphql")
    page.get_by_role("button", name="Run query").click()
    expect(page.locator("[data-query-answer]")).to_contain_text(ANSWER)
    visitor.page.goto(page.url)
    visitor.inspect()
    page.context.close()
