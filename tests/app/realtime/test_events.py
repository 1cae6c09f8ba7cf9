"""Server-sent events at /events: what a browser's EventSource hears, and when it ends."""

import asyncio

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select

from app.accounts.actions import end_sessions
from app.notifications.actions import notify
from app.notifications.kinds import EXPORT_READY
from app.publishing import RealtimeEvent, publish
from tests.app.realtime.listening import SECONDS, Product


async def test_a_notification_is_told_to_its_persons_pages(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    async with product.streaming(ada) as heard:
        assert (await anext(heard))["type"] == "ready"
        async with product.database.transaction() as db:
            await notify(db, EXPORT_READY, grace.user.id)
            await notify(db, EXPORT_READY, ada.user.id)
        event = await anext(heard)

    assert (event["type"], event["topic"]) == ("notifications.changed", ada.own_topic)


async def test_a_page_hears_what_happened_between_its_making_and_its_listening(product: Product) -> None:
    ada = await product.add_person()
    async with product.database.transaction() as db:
        newest = await db.scalar(select(RealtimeEvent.id).order_by(RealtimeEvent.id.desc()).limit(1))
        await publish(db, ada.own_topic, "test.happened")
    async with product.streaming(ada, f"?since={newest}") as heard:
        event = await anext(heard)
        assert event["type"] == "test.happened"
    async with product.streaming(ada, f"?since={newest}", last_event_id=event["id"]) as heard:
        assert (await anext(heard))["type"] == "ready", "the header is newer than the address"


@pytest.mark.requirement("SES-4", "WSK-1")
async def test_the_stream_ends_with_its_session_and_says_why(product: Product) -> None:
    ada = await product.add_person()
    async with product.streaming(ada) as heard:
        await anext(heard)
        async with product.changing() as db:
            await end_sessions(db, ada.user)
        async with asyncio.timeout(SECONDS):
            assert [each async for each in heard] == [{"type": "ended", "code": 4401}]


@pytest.mark.requirement("WSK-1")
async def test_strangers_and_others_topics_are_refused(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    async with AsyncClient(base_url=product.url) as client:
        assert (await client.get("/events", headers={"accept": "text/event-stream"})).status_code == 401
        client.cookies["session"] = ada.token
        for topic in (grace.own_topic, grace.organization_topic, f"audit:{grace.organization.id}", "nothing"):
            assert (await client.get("/events", params={"topic": topic})).status_code == 404
