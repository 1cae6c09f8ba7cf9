"""Making a role, giving it to nobody yet, and finding that in the audit log, which is taken along as a file."""

import re

from playwright.sync_api import expect

from tests.browser.steps import enter_demonstration, log_out
from tests.browser.visitors import Visitor


def test_somebody_makes_a_role_and_finds_it_in_the_audit_log(visitor: Visitor) -> None:
    enter_demonstration(visitor)
    page = visitor.page
    slug = page.url.rpartition("/")[2]
    visitor.open(f"/o/{slug}/roles/new")
    visitor.press("Save")
    assert page.get_by_text("There is a problem").is_visible()
    visitor.fill(name="Journey auditor")
    page.get_by_label("Read the audit log and download it.").check()
    visitor.press("Save")
    expect(page.get_by_role("heading", name="Roles", exact=True, level=1)).to_be_visible()

    visitor.open(f"/o/{slug}/audit")
    page.get_by_label("Action", exact=True).select_option("roles.created")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row", name=re.compile("made the role Journey auditor")).first).to_be_visible()
    visitor.inspect()
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download as CSV").click()
    assert "roles.created" in downloaded.value.path().read_text()
    page.get_by_role("link", name=re.compile("made the role Journey auditor")).first.click()
    expect(page.get_by_text("audit.view, organization.view")).to_be_visible()
    visitor.inspect()

    visitor.open(f"/o/{slug}/roles/journey-auditor/delete")
    visitor.press("Delete the role")
    expect(page.get_by_text("The role Journey auditor is deleted.")).to_be_visible()
    log_out(visitor)
