"""Teams in a browser: founded, joined by invitation, handed over, deleted and kept."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.server import Server
from tests.browser.steps import PASSWORD, enter, log_in
from tests.browser.visitors import LOOKS, Visitor


@pytest.fixture
def owner(browser: Browser, server: Server, address: str) -> Iterator[Visitor]:
    """Somebody with an account of their own, logged in."""
    context = browser.new_context(**LOOKS["light"])
    visitor = Visitor(context, server)
    enter(visitor, server, f"owner-{address}")
    yield visitor
    context.close()


def found_team(visitor: Visitor, name: str, slug: str) -> None:
    visitor.open("/organizations/new")
    visitor.fill(name=name, slug=slug)
    expect(visitor.page.get_by_text("This address is free.")).to_be_visible()
    visitor.press("Create team")
    expect(visitor.page).to_have_url(re.compile(f"/o/{slug}/members"))


def slug_for(address: str) -> str:
    return f"team-{address.partition('@')[0]}"


def test_a_team_is_founded_two_are_invited_and_one_comes_is_promoted_and_removed(
    owner: Visitor, visitor: Visitor, server: Server, address: str
) -> None:
    slug = slug_for(address)
    found_team(owner, "Analytical Engines", slug)
    owner.page.get_by_role("main").get_by_role("link", name="Invite").click()
    owner.fill(emails=f"{address}\nother-{address}\nnowhere")
    owner.press("Send invitations")
    assert owner.page.get_by_text("Invited", exact=True).count() == 2
    expect(owner.page.get_by_text("No e-mail address")).to_be_visible()

    (message,) = server.mail(address)
    visitor.page.goto(message["links"][0])
    visitor.inspect()
    expect(visitor.page.get_by_text("Analytical Engines")).to_be_visible()
    visitor.page.get_by_role("main").get_by_role("link", name="Sign up").click()
    visitor.fill(name="Grace", email=address, password=PASSWORD)
    visitor.page.get_by_role("checkbox").check()
    visitor.press("Create account")
    visitor.page.goto(server.mail(address)[0]["links"][0])
    visitor.press("Confirm address")
    log_in(visitor, address)
    expect(visitor.page).to_have_url(re.compile("/invitations/"))
    visitor.press("Accept")
    expect(visitor.page).to_have_url(re.compile(f"/o/{slug}$"))

    owner.open(f"/o/{slug}/members")
    row = owner.page.get_by_role("row").filter(has_text=re.compile(f" {address}|^{address}|[^-]{address}"))
    row.get_by_label("Role of Grace", exact=True).select_option("admin")
    row.get_by_role("button", name="Save Role of Grace").click()
    expect(owner.page.get_by_text("Grace has another role now: Admin.")).to_be_visible()
    owner.inspect()
    for button, said in (
        ("Suspend Grace", "Grace is suspended and can do nothing here."),
        ("Reactivate Grace", "Grace is back."),
    ):
        owner.follow(owner.page.get_by_role("button", name=button))
        expect(owner.page.get_by_text(said)).to_be_visible()
    owner.follow(owner.page.get_by_role("link", name="Remove Grace"))
    owner.press("Remove member")
    expect(owner.page.get_by_text("Grace is no longer a member.")).to_be_visible()
    visitor.page.goto(f"{server.url}/o/{slug}")
    assert "404" in visitor.page.locator("main").inner_text()


def test_a_team_is_deleted_and_kept_and_its_pages_look_right(owner: Visitor, address: str) -> None:
    slug = slug_for(address)
    found_team(owner, "Lamps", slug)
    for page in ("settings", "settings/address", "security", "invitations", "invitations/links/new", "leave"):
        owner.open(f"/o/{slug}/{page}")
    owner.open("/organizations")
    owner.open(f"/o/{slug}/danger")
    owner.fill(name="lamps")
    owner.press("Delete organization")
    owner.fill(name="Lamps")
    owner.press("Delete organization")
    assert owner.heading() == "Keep the organization?"
    owner.press("Keep the organization")
    expect(owner.page).to_have_url(re.compile(f"/o/{slug}$"))


def test_a_team_is_handed_over(owner: Visitor, browser: Browser, server: Server, address: str) -> None:
    slug = slug_for(address)
    found_team(owner, "Ships", slug)
    context = browser.new_context(**LOOKS["mobile"])
    receiver = Visitor(context, server)
    enter(receiver, server, address)
    owner.open(f"/o/{slug}/invitations/new")
    owner.fill(emails=address)
    owner.press("Send invitations")
    receiver.page.goto(server.mail(address)[0]["links"][0])
    receiver.press("Accept")

    owner.open(f"/o/{slug}/danger")
    owner.press("Offer the organization")
    expect(owner.page.get_by_text("Offered to")).to_be_visible()
    receiver.open(f"/o/{slug}/ownership")
    receiver.press("Accept")
    receiver.open(f"/o/{slug}/members")
    expect(receiver.page.get_by_text("Owner").first).to_be_attached()
    owner.page.goto(f"{server.url}/o/{slug}/danger")
    assert "403" in owner.page.locator("main").inner_text()
    context.close()
