import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app import clock
from app.config import Settings
from app.main import create_app
from core.testclient import AsyncTestClient

PAGES = ["/", "/pricing", "/legal/terms", "/legal/privacy", "/dev/components", "/dev/routes"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_one_heading_a_title_and_a_way_past_the_navigation(client: AsyncTestClient, path: str) -> None:
    response = await client.get(path)

    assert response.status_code == 200
    assert len(re.findall(r"<h1\b", response.text)) == 1
    assert re.search(r"<title>\S.* - \S.*</title>", response.text)
    assert 'href="#main"' in response.text
    assert 'id="main"' in response.text


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_carries_no_inline_script_or_style(client: AsyncTestClient, path: str) -> None:
    text = (await client.get(path)).text

    assert not re.search(r"<style\b|\sstyle=|\son\w+=", text)
    assert all("src=" in script and "nonce=" in script for script in re.findall(r"<script\b[^>]*>", text))


async def test_the_landing_page_costs_a_stranger_no_statement(
    client: AsyncTestClient, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with statements() as executed:
        await client.get("/")

    assert executed == []


async def test_the_landing_page_says_the_products_name_and_leads_to_sign_up(client: AsyncTestClient) -> None:
    text = (await client.get("/")).text

    assert "Slipway" in text
    assert 'href="/sign-up"' in text
    assert "$product" not in text


async def test_names_of_the_site_come_from_the_settings(settings: Settings) -> None:
    app = create_app(replace(settings, product_name="Drydock", company_name="Drydock Ltd", support_email="a@b.example"))
    async with AsyncTestClient(app, base_url=settings.base_url) as client:
        landing, terms = await client.get("/"), await client.get("/legal/terms")

    assert "Drydock" in landing.text
    assert "Slipway" not in landing.text
    assert "Drydock Ltd" in terms.text
    assert "mailto:a@b.example" in terms.text


async def test_prices_are_shown_for_both_periods(client: AsyncTestClient) -> None:
    text = (await client.get("/pricing")).text

    assert "$12" in text
    assert "per member and month, $120 a year" in text
    assert "2 months free" in text


async def test_prices_are_written_as_the_reader_writes_them(client: AsyncTestClient) -> None:
    text = (await client.get("/pricing", headers={"accept-language": "de"})).text

    assert "12\N{NO-BREAK SPACE}$" in text


async def test_a_legal_page_that_does_not_exist_is_not_found(client: AsyncTestClient) -> None:
    assert (await client.get("/legal/..%2Fterms")).status_code == 404
    assert (await client.get("/legal/imprint")).status_code == 404


async def test_crawlers_are_kept_out_of_what_is_private_and_led_to_the_sitemap(client: AsyncTestClient) -> None:
    text = (await client.get("/robots.txt")).text

    assert "Disallow: /o/\n" in text
    assert "Sitemap: https://slipway.test/sitemap.xml\n" in text


async def test_every_page_of_the_sitemap_exists(client: AsyncTestClient) -> None:
    document = ElementTree.fromstring((await client.get("/sitemap.xml")).text)  # noqa: S314 - our own document

    addresses = [element.text or "" for element in document.iter() if element.tag.endswith("loc")]
    assert len(addresses) >= 4
    assert [(await client.get(address)).status_code for address in addresses] == [200] * len(addresses)


async def test_security_txt_names_a_contact_and_expires_within_a_year(client: AsyncTestClient) -> None:
    text = (await client.get("/.well-known/security.txt")).text

    fields = dict(line.split(": ", 1) for line in text.splitlines())
    expires = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert fields["Contact"].startswith("mailto:")
    assert timedelta(days=30) < expires - clock.now() < timedelta(days=366)


async def test_password_managers_are_led_to_a_page_that_changes_the_password(client: AsyncTestClient) -> None:
    response = await client.get("/.well-known/change-password")

    assert response.status_code == 303
    assert (await client.get(response.headers["location"])).status_code in (200, 303)


async def test_pages_for_developers_do_not_exist_in_production(settings: Settings) -> None:
    app = create_app(replace(settings, environment="production"))
    async with AsyncTestClient(app, base_url=settings.base_url) as client:
        assert (await client.get("/dev/components")).status_code == 404
        assert (await client.get("/dev/routes")).status_code == 404


async def test_the_route_map_lists_every_address_with_who_may_use_it(client: AsyncTestClient) -> None:
    text = (await client.get("/dev/routes")).text

    assert "<code>/o/{slug}</code>" in text
    assert "permission organization.view" in text
