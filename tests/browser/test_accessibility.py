"""What the journeys look at closely: each page that differs in more than its words, until nothing is wrong with it."""

import pytest
from playwright.sync_api import Browser

from tests.browser import accessibility
from tests.browser.visitors import Visitor


def page_with(*, heading: str = "Boats", items: str = "<li>Oar</li>", field: str = "") -> str:
    return (
        f'<!doctype html><html lang="en"><title>{heading}</title><main><h1>{heading}</h1><ul>{items}</ul>{field}</main>'
    )


def test_pages_that_differ_in_words_and_lengths_have_one_skeleton_and_others_their_own(browser: Browser) -> None:
    page = browser.new_page()

    def skeleton(content: str) -> str:
        page.set_content(content)
        return accessibility.skeleton(page)

    known = skeleton(page_with())
    assert skeleton(page_with(heading="Ships", items="<li>Mast</li><li>Sail</li>")) == known
    others = [
        page_with(heading=""),
        page_with(items='<li class="is-late">Oar</li>'),
        page_with(field='<input aria-label="Name">'),
        page_with(field='<input aria-label="">'),
        page_with(field='<input aria-label="Name" aria-invalid="true">'),
    ]
    found = {skeleton(content) for content in others}
    page.emulate_media(color_scheme="dark")
    assert len(found | {known, skeleton(page_with())}) == len(others) + 2
    page.close()


@pytest.mark.parametrize("look", ["light"], indirect=True)
def test_what_is_wrong_with_a_page_is_said_each_time(visitor: Visitor) -> None:
    visitor.open("/log-in")
    visitor.page.evaluate("""document.querySelectorAll("main label").forEach((label) => label.remove())""")
    for _ in range(2):
        with pytest.raises(AssertionError, match="label"):
            visitor.check_accessibility()
