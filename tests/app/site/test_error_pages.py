"""Error pages stand alone: they need the request and the settings, no person and no database."""

from dataclasses import replace
from typing import Any

import pytest

from app.config import Settings
from app.jinja import TEMPLATES
from app.main import create_app
from app.templates import render
from core.requests import Request
from core.responses import Response
from core.routing import Route
from core.testclient import AsyncTestClient

CODES = sorted(int(path.stem) for path in (TEMPLATES / "errors").glob("*.html"))


async def show(settings: Settings, code: int, **context: Any) -> str:
    """The error page of `code` from an application whose database is out of reach."""

    async def handler(request: Request) -> Response:
        return render(request, f"errors/{code}.html", status_code=code, **context)

    app = create_app(replace(settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none"))
    app.router.routes.insert(0, Route("/provoke", handler))
    async with AsyncTestClient(app, base_url=settings.base_url) as client:
        return (await client.get("/provoke")).text


@pytest.mark.parametrize("code", CODES)
async def test_an_error_page_says_what_happened_and_offers_a_way_out(settings: Settings, code: int) -> None:
    text = await show(settings, code)

    assert f"Error {code}" in text
    assert text.count("<h1>") == 1
    assert 'class="button button--primary"' in text


async def test_all_promised_error_pages_exist() -> None:
    assert {400, 403, 404, 405, 413, 422, 429, 500, 503} <= set(CODES)


async def test_a_failure_names_its_reference_and_where_to_write(settings: Settings) -> None:
    text = await show(settings, 500, request_id="0190b3e27c4f")

    assert "<code>0190b3e27c4f</code>" in text
    assert f"mailto:{settings.support_email}?subject=" in text


async def test_a_slowed_reader_learns_when_to_come_back(settings: Settings) -> None:
    assert "in about 4 minutes" in await show(settings, 429, retry_after="190")
    assert "in about 1 minute." in await show(settings, 429, retry_after="5")


async def test_the_detail_of_a_missing_page_tells_nothing_about_it(settings: Settings) -> None:
    assert "of another tenant" not in await show(settings, 404, detail="That record is of another tenant.")


async def test_a_detail_is_shown_as_text(settings: Settings) -> None:
    text = await show(settings, 403, detail="<script>alert(1)</script>")

    assert "<script>alert" not in text
