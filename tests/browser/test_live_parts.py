"""Parts of pages that change while somebody looks: how far work is, and who else is there."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.server import Server
from tests.browser.steps import enter
from tests.browser.visitors import LOOKS, Visitor

LONGEST = 30_000  # Milliseconds until another process has done its part, on a busy machine.


@pytest.fixture
def two(browser: Browser, server: Server, address: str) -> Iterator[list[Visitor]]:
    """Two people who have just logged in, Grace and Grace."""
    contexts = [browser.new_context(**LOOKS[look]) for look in ("light", "mobile")]
    visitors = [Visitor(context, server) for context in contexts]
    for number, visitor in enumerate(visitors):
        enter(visitor, server, f"live{number}-{address}")
    yield visitors
    for context in contexts:
        context.close()


def stays(visitor: Visitor) -> None:
    visitor.page.evaluate("window.isTheSamePage = true")


def stayed(visitor: Visitor) -> bool:
    return bool(visitor.page.evaluate("window.isTheSamePage === true"))


def join(visitor: Visitor, owner: Visitor, slug: str, address: str) -> None:
    owner.page.goto(f"{owner.server.url}/o/{slug}/invitations/new")
    owner.fill(emails=address)
    owner.press("Send invitations")
    links = [link for message in visitor.server.mail(address) for link in message["links"]]
    visitor.page.goto(next(link for link in links if "/invitations/" in link))
    visitor.press("Accept")


def test_work_and_people_are_shown_without_reloading(two: list[Visitor], address: str) -> None:
    owner, other = two
    owner.open("/account/export")
    owner.press("Put my data together")
    stays(owner)
    expect(owner.page.get_by_role("heading", name="Your data is ready")).to_be_visible(timeout=LONGEST)
    owner.inspect()
    assert stayed(owner)

    slug = f"live-{address.partition('@')[0]}"
    owner.open("/organizations/new")
    owner.fill(name="Live", slug=slug)
    owner.press("Create team")
    join(other, owner, slug, f"live1-{address}")
    owner.page.goto(f"{owner.server.url}/o/{slug}/projects/new")
    owner.fill(name="Boat")
    owner.press("Start project")
    expect(owner.page).to_have_url(re.compile("/projects/[0-9a-f-]{36}$"))
    stays(owner)
    expect(owner.page.get_by_text("Also here now")).to_be_hidden()

    other.page.goto(owner.page.url)
    expect(owner.page.get_by_role("list", name="Also here now")).to_have_text("GGrace", timeout=LONGEST)
    expect(other.page.get_by_role("list", name="Also here now")).to_have_text("GGrace", timeout=LONGEST)
    for visitor in two:
        visitor.inspect()
    assert stayed(owner)
