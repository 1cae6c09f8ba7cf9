"""Messages from templates: three parts, styles inlined, nothing that a name could break out of."""

from dataclasses import replace
from typing import Any

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from app.config import Settings
from app.email.rendering import RenderedMessage, render_message

LINK = "https://slipway.test/reset-password?token=abc&x=1"


def render(settings: Settings, **context: Any) -> RenderedMessage:
    return render_message(
        settings,
        to_address="ada@example.com",
        template="passwords/reset_password",
        context={"name": "Ada", "url": LINK, **context},
    )


def test_the_text_part_is_written_and_has_the_link_as_it_is(settings: Settings) -> None:
    text = render(settings).text

    assert LINK in text
    assert "<" not in text
    assert "&amp;" not in text


def test_the_html_part_has_its_styles_inlined_and_keeps_those_for_dark_mode(settings: Settings) -> None:
    html = render(settings).html

    assert 'class="button" ' in html
    assert "background-color: #a8432b" in html.partition("</head>")[2]
    assert "prefers-color-scheme: dark" in html.partition("</head>")[0]
    assert 'name="color-scheme" content="light dark"' in html


def test_the_html_part_is_one_column_of_560_pixels_without_images_or_scripts(settings: Settings) -> None:
    html = render(settings).html

    assert "max-width: 560px" in html
    assert "<img" not in html
    assert "<script" not in html
    assert "<link" not in html


def test_the_foot_says_who_sent_it_and_why(settings: Settings) -> None:
    ours = replace(settings, product_name="Dry Dock", company_name="Dock Ltd", support_email="help@dock.test")
    rendered = render(ours)

    for part in (rendered.html, rendered.text):
        assert "Sent by Dock Ltd for Dry Dock." in part
        assert "You get this message because" in part
        assert "help@dock.test" in part


def test_a_persons_name_is_text_in_html_and_stays_itself_in_text(settings: Settings) -> None:
    rendered = render(settings, name="<b>Ada & Co</b>")

    assert "&lt;b&gt;Ada &amp; Co&lt;/b&gt;" in rendered.html
    assert "<b>Ada & Co</b>" in rendered.text


def test_a_subject_is_one_line_whatever_is_put_into_it(settings: Settings) -> None:
    product = replace(settings, product_name="Dry\r\nBcc: everyone@example.com")
    subject = render_message(
        product, to_address="ada@example.com", template="passwords/unknown_address", context={"sign_up_url": LINK}
    ).subject

    assert "\n" not in subject
    assert "\r" not in subject
    assert "Dry Bcc: everyone@example.com" in subject


def test_a_missing_value_is_an_error_and_no_gap_in_a_letter(settings: Settings) -> None:
    with pytest.raises(UndefinedError, match="'url' is undefined"):
        render_message(settings, to_address="a@example.com", template="passwords/reset_password", context={"name": "A"})


def test_a_message_that_lacks_a_part_cannot_be_sent(settings: Settings) -> None:
    with pytest.raises(TemplateNotFound):
        render_message(settings, to_address="a@example.com", template="accounts/nothing", context={})
