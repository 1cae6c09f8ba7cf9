"""Making a token in a browser, and calling the API with it as a program and from the reference."""

import re

import httpx2 as httpx
from playwright.sync_api import expect

from app.accounts.routes import DEMO_EMAIL
from tests.browser.server import Server
from tests.browser.steps import enter_demonstration, log_out
from tests.browser.visitors import Visitor


def test_somebody_makes_a_token_calls_the_api_with_it_and_revokes_it(visitor: Visitor, server: Server) -> None:
    enter_demonstration(visitor)
    visitor.open("/account/tokens/new")
    visitor.fill(name="Journey")
    visitor.press("Create token")
    assert visitor.page.get_by_text("There is a problem").is_visible()
    visitor.page.get_by_label("account:read").check()
    visitor.press("Create token")
    secret = visitor.page.get_by_label("The token", exact=True).inner_text().strip()
    assert visitor.heading() == "Your new token"

    called = httpx.get(f"{server.url}/api/v1/me", headers={"authorization": f"Bearer {secret}"})
    assert called.json()["email"] == DEMO_EMAIL
    visitor.page.get_by_role("link", name="I have copied it").click()
    expect(visitor.page.get_by_role("row", name=re.compile("Journey"))).to_contain_text(re.compile("second|now"))
    visitor.inspect()
    visitor.page.get_by_role("button", name="Revoke Journey").first.click()
    expect(visitor.page.get_by_text("The token Journey is revoked.")).to_be_visible()
    visitor.inspect()
    refused = httpx.get(f"{server.url}/api/v1/me", headers={"authorization": f"Bearer {secret}"})
    assert refused.status_code == 401
    log_out(visitor)

    # A stranger tries with a token, which is not kept: the operations that can be tried appear.
    visitor.open("/api/docs")
    visitor.page.get_by_label("Try with a token").fill(secret)
    article = visitor.page.locator("article[id='operation-accounts.show_me']")
    article.get_by_role("button", name="Send request").click()
    expect(article.get_by_text("401 Unauthorized", exact=True)).to_be_visible()
