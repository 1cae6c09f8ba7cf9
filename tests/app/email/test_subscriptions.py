"""Messages that nobody has to get, and addresses that get none."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.database import Database
from app.email import actions, subscriptions, suppressions
from app.email.delivery import deliver
from app.email.models import EmailMessage, SuppressionReason
from app.email.providers import Carriers, Postmark, Resend
from app.email.retention import forget_addresses
from app.inbound import ReceivedEvent, store_event
from app.jobs.registry import JobContext
from core.testclient import AsyncTestClient
from tests.app.email.provider_server import provider_server

SENDER = "Slipway <hello@example.com>"


async def send(db: AsyncSession, settings: Settings, **options: str) -> EmailMessage:
    context = {"url": "https://slipway.test/x", "code": "123456"}
    return await actions.send(
        db, settings=settings, to="ada@example.com", template="accounts/verify_email", context=context, **options
    )


def path_of(message: EmailMessage, settings: Settings) -> str:
    return str(message.unsubscribe_url).removeprefix(settings.base_url)


async def test_a_message_that_nobody_has_to_get_carries_its_way_out(db: AsyncSession, settings: Settings) -> None:
    message = await send(db, settings, unsubscribe="digest")
    plain = await send(db, settings)

    assert str(message.unsubscribe_url) in message.text
    assert str(message.unsubscribe_url) in message.html
    async with provider_server() as server:
        for provider in (Resend("key", SENDER, url=server.url), Postmark("key", SENDER, url=server.url)):
            await provider.deliver(message)
            await provider.deliver(plain)
    headers = [asked.body.get("headers") or asked.body.get("Headers") for asked in server.asked]
    expected = {
        "List-Unsubscribe": f"<{message.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    named = [{"Name": name, "Value": value} for name, value in expected.items()]
    assert headers == [expected, None, named, None]


async def test_looking_at_the_link_changes_nothing_and_the_button_ends_it(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    path = path_of(await send(db, settings, unsubscribe="digest"), settings)
    page = await client.get(path)
    assert "Shall we stop" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert await subscriptions.is_subscribed(db, address="ADA@example.com", kind="digest")

    assert "We send no more" in (await client.post(path)).text
    assert not await subscriptions.is_subscribed(db, address="ada@example.com", kind="digest")
    assert await subscriptions.is_subscribed(db, address="ada@example.com", kind="news")

    await subscriptions.subscribe_again(db, address="ada@example.com", kind="digest")
    assert await subscriptions.is_subscribed(db, address="ada@example.com", kind="digest")


async def test_a_mail_program_unsubscribes_with_one_request(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    path = path_of(await send(db, settings, unsubscribe="digest"), settings)

    # RFC 8058 section 3.2: no cookie, no Origin, exactly this body.
    answer = await client.post(path, data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert not await subscriptions.is_subscribed(db, address="ada@example.com", kind="digest")


@pytest.mark.parametrize("token", ["x", "0" * 32, "0" * 64, "ü" * 40])
async def test_a_link_that_we_did_not_make_is_not_found(client: AsyncTestClient, token: str) -> None:
    assert (await client.get(f"/unsubscribe/{token}")).status_code == 404
    assert (await client.post(f"/unsubscribe/{token}")).status_code == 404


async def test_a_link_with_another_signature_is_not_found(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    path = path_of(await send(db, settings, unsubscribe="digest"), settings)
    forged = path[:-1] + ("0" if path[-1] != "0" else "1")

    assert (await client.post(forged)).status_code == 404


async def test_who_unsubscribed_meanwhile_does_not_get_what_waits(
    db: AsyncSession, database: Database, settings: Settings
) -> None:
    message, other = await send(db, settings, unsubscribe="digest"), await send(db, settings)
    assert message.subscription_id is not None
    await subscriptions.unsubscribe(db, message.subscription_id)
    async with provider_server() as server:
        carriers = Carriers([Resend("key", SENDER, url=server.url)])
        for each in (message, other):
            await deliver(JobContext(settings, database), carriers, each.id)

    await db.refresh(message)
    await db.refresh(other)
    assert (message.status, message.text, other.status) == ("withheld", "", "sent")
    assert len(server.asked) == 1


async def test_a_suppressed_address_gets_nothing_until_it_is_released(
    db: AsyncSession, database: Database, settings: Settings
) -> None:
    for reason in (SuppressionReason.COMPLAINT, SuppressionReason.BOUNCE):
        await suppressions.suppress(db, address="ADA@example.com", reason=reason, provider="ses", detail="")
    [entry] = await suppressions.list_suppressions(db)
    assert entry.reason == "complaint"
    first, second = await send(db, settings), await send(db, settings)
    async with provider_server() as server:
        carriers = Carriers([Resend("key", SENDER, url=server.url)])
        await deliver(JobContext(settings, database), carriers, first.id)
        await suppressions.release(db, entry.id)
        await deliver(JobContext(settings, database), carriers, second.id)

    await db.refresh(first)
    await db.refresh(second)
    assert (first.status, second.status, len(server.asked)) == ("withheld", "sent", 1)


@pytest.mark.requirement("PRV-1")
async def test_of_an_address_that_is_erased_nothing_stays(db: AsyncSession, settings: Settings) -> None:
    await send(db, settings, unsubscribe="digest")
    for address in ("ada@example.com", "grace@example.com"):
        await suppressions.suppress(db, address=address, reason=SuppressionReason.BOUNCE, provider="ses", detail="")
        await store_event(db, "email.ses", ReceivedEvent(address, "Bounce", {"to": [address.upper()]}))

    await forget_addresses(db, [])
    await forget_addresses(db, ["ada@example.com"])

    left = {}
    for table in ("email_messages", "email_subscriptions", "suppressions", "inbound_events"):
        left[table] = (await db.scalars(text(f"SELECT each::text FROM {table} AS each"))).all()  # noqa: S608 - ours
    assert [len(rows) for rows in left.values()] == [0, 0, 1, 1]
    assert "ada@" not in str(left).lower()
