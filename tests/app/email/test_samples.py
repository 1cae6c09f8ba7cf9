"""Every message renders in every language, and can be looked at."""

import re

import pytest

from app.config import Settings
from app.email import samples
from app.translations import languages
from core.testclient import AsyncTestClient


@pytest.mark.parametrize("language", sorted(languages()))
@pytest.mark.parametrize("template", samples.template_names())
def test_every_message_renders_in_every_language(settings: Settings, template: str, language: str) -> None:
    message = samples.render_sample(settings, template, language)

    assert message.subject
    assert message.locale == language
    assert "<html" in message.html
    for part in (message.subject, message.text, message.html):
        assert "{{" not in part
        assert "Undefined" not in part
    # The text part says what the HTML part does: each link stands in both.
    links = set(re.findall(r'href="(https://slipway\.example[^"]*)"', message.html))
    assert all(link.replace("&amp;", "&") in message.text for link in links)


async def test_the_previews_list_every_message(client: AsyncTestClient) -> None:
    page = (await client.get("/dev/emails")).text

    assert all(f"/dev/emails/{name}" in page for name in samples.template_names())


async def test_a_preview_shows_a_language_and_a_scheme(client: AsyncTestClient) -> None:
    page = await client.get("/dev/emails/accounts/verify_email?language=de&scheme=dark")
    assert "accounts/verify_email" in page.text
    assert "scheme=light" in page.text

    dark = await client.get("/dev/emails/accounts/verify_email/html?language=de&scheme=dark")
    light = await client.get("/dev/emails/accounts/verify_email/html?language=de")
    assert 'lang="de"' in dark.text
    assert "@media all" in dark.text
    assert "@media not all" in light.text
    assert "sandbox" in dark.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/nothing/here", "/accounts/verify_email?language=xx", "/accounts/verify_email?scheme=pink"]
)
async def test_a_preview_of_nothing_is_not_found(client: AsyncTestClient, path: str) -> None:
    assert (await client.get(f"/dev/emails{path}")).status_code == 404
