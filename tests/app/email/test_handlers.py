"""The development mailbox, as people see it and as programs read it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.config import Settings
from app.email.actions import send
from app.email.models import EmailMessage
from app.email.routes import routes
from core.applications import Starlette
from core.testclient import AsyncTestClient

LINK = "https://slipway.test/verify-email?token=abc"


async def write(db: AsyncSession, settings: Settings, to: str = "ada@example.com") -> EmailMessage:
    template = "passwords/reset_password"
    context = {"name": "<i>Ada</i>", "url": LINK}
    return await send(db, settings=settings, to=to, template=template, context=context)


async def test_mailbox_is_empty_at_first_and_says_how_to_fill_it(client: AsyncTestClient) -> None:
    page = await client.get("/dev/mailbox")

    assert page.status_code == 200
    assert "No messages yet" in page.text
    assert (await client.get("/dev/mailbox.json")).json() == []


async def test_mailbox_lists_messages_newest_first_and_by_address(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    await write(db, settings, "ada@example.com")
    with clock.travel(timedelta(seconds=5)):
        await write(db, settings, "grace+tag@example.com")
    await db.flush()

    page = (await client.get("/dev/mailbox")).text
    assert 0 < page.index("grace+tag@example.com") < page.index("ada@example.com")

    one = (await client.get("/dev/mailbox", params={"to": "grace+tag@example.com"})).text
    assert "ada@example.com" not in one
    assert "/dev/mailbox?to=grace%2Btag%40example.com" in one


async def test_mailbox_as_json_has_what_a_test_needs(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    written = await write(db, settings)

    response = await client.get("/dev/mailbox.json")

    message: dict[str, Any]
    [message] = response.json()
    assert set(message) == {"id", "to", "subject", "text", "html", "links", "created_at", "status"}
    assert message["id"] == str(written.id)
    assert message["to"] == "ada@example.com"
    assert message["links"] == [LINK]
    assert message["status"] == "queued"
    assert message["created_at"].endswith("Z")
    assert response.headers["cache-control"] == "no-store"


async def test_message_shows_its_parts_and_links(client: AsyncTestClient, db: AsyncSession, settings: Settings) -> None:
    written = await write(db, settings)

    page = await client.get(f"/dev/mailbox/{written.id}")

    assert page.status_code == 200
    assert f'src="/dev/mailbox/{written.id}/html"' in page.text
    assert f'<a class="mono message-link" href="{LINK}">' in page.text
    assert "<i>Ada</i>" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_message_html_runs_nothing_and_is_framed_by_us_alone(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    written = await write(db, settings)

    page = await client.get(f"/dev/mailbox/{written.id}/html")

    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert page.headers["x-frame-options"] == "SAMEORIGIN"


async def test_a_message_that_does_not_exist_is_not_found(client: AsyncTestClient) -> None:
    for path in (f"/dev/mailbox/{uuid4()}", f"/dev/mailbox/{uuid4()}/html", "/dev/mailbox/no-id"):
        assert (await client.get(path)).status_code == 404


async def test_production_has_no_mailbox(app: Starlette) -> None:
    assert [route for route in routes if "/dev/" in str(getattr(route, "path", ""))] == []
    assert str(app.url_path_for("email.mailbox")) == "/dev/mailbox"
