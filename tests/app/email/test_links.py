"""Links: absolute by the settings alone, and found again in what was sent."""

import pytest

from app.config import Settings
from app.email.links import absolute, links_in


@pytest.mark.parametrize("path", ["/verify-email?token=a", "verify-email?token=a"])
def test_a_link_begins_with_the_configured_address(settings: Settings, path: str) -> None:
    assert absolute(settings, path) == "https://slipway.test/verify-email?token=a"
    assert absolute("https://slipway.test/", path) == "https://slipway.test/verify-email?token=a"


def test_links_are_listed_once_without_the_marks_of_the_sentence() -> None:
    text = "Open https://a.test/x?token=1_2-3. Or (https://b.test/y)!\nOr mailto:help@a.test"
    html = '<a href="https://a.test/x?token=1_2-3">x</a> <a href="mailto:help@a.test">m</a> <a href="https://c.test/?a=1&amp;b=2">c</a>'

    assert links_in(text=text, html=html) == [
        "https://a.test/x?token=1_2-3",
        "https://b.test/y",
        "https://c.test/?a=1&b=2",
    ]
