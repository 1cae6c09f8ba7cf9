"""What goes over the wire to a provider, and what each of its moods means. The server is real; only its answers are ours."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.config import Settings
from app.config_email import EmailSettings
from app.email.models import EmailMessage
from app.email.providers import (
    DeliveryFailed,
    Mailbox,
    Mailgun,
    MessageRefused,
    Postmark,
    Provider,
    Resend,
    SendGrid,
    Ses,
    Smtp,
    carriers_for,
)
from app.ids import uuid7
from tests.app.email.provider_server import HALF, HANG, TRICKLE, Answer, provider_server

SENDER = "Slipway <hello@example.com>"
KEY = "key-that-must-not-be-told"


def a_message() -> EmailMessage:
    return EmailMessage(
        id=uuid7(),
        to_address="ada@example.com",
        subject="Verify",
        text="Plain\n",
        html="<p>Rich</p>",
        template="accounts/verify_email",
    )


def at(kind: type[Postmark] | type[Resend], url: str, deadline: float = 5) -> Provider:
    return kind(KEY, SENDER, url=url, deadline=deadline)


async def test_postmark_gets_the_message_in_its_own_words() -> None:
    message = a_message()
    async with provider_server() as server:
        provider_id = await at(Postmark, server.url).deliver(message)

    [asked] = server.asked
    assert asked.line == "POST /email HTTP/1.1"
    assert asked.headers["x-postmark-server-token"] == KEY
    assert asked.body == {
        "From": SENDER,
        "To": "ada@example.com",
        "Subject": "Verify",
        "TextBody": "Plain\n",
        "HtmlBody": "<p>Rich</p>",
        "MessageStream": "outbound",
        "Tag": "accounts/verify_email",
        "Metadata": {"message": str(message.id)},
    }
    assert provider_id == "provider-1"


async def test_resend_gets_the_message_and_a_key_by_which_it_knows_a_repetition() -> None:
    message = a_message()
    async with provider_server() as server:
        provider = at(Resend, server.url)
        assert await provider.deliver(message) == "provider-1"
        await provider.deliver(message)

    first, second = server.asked
    assert first.line == "POST /emails HTTP/1.1"
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == str(message.id)
    assert first.body == {
        "from": SENDER,
        "to": ["ada@example.com"],
        "subject": "Verify",
        "text": "Plain\n",
        "html": "<p>Rich</p>",
    }


@pytest.mark.parametrize("kind", [Postmark, Resend])
@pytest.mark.parametrize("status", ["400 Bad Request", "413 Content Too Large", "422 Unprocessable"])
async def test_a_message_that_the_provider_finds_wrong_is_refused_for_good(
    kind: type[Postmark] | type[Resend], status: str
) -> None:
    async with provider_server(Answer(f"HTTP/1.1 {status}", '{"Message": "Invalid To address"}')) as server:
        with pytest.raises(MessageRefused, match="Invalid To address"):
            await at(kind, server.url).deliver(a_message())


@pytest.mark.parametrize(
    "answer",
    [
        Answer("HTTP/1.1 500 Internal Server Error", "oops"),
        Answer("HTTP/1.1 503 Service Unavailable", ""),
        Answer("HTTP/1.1 429 Too Many Requests", "{}"),
        Answer("HTTP/1.1 401 Unauthorized", '{"Message": "wrong token"}'),
        Answer("HTTP/1.1 409 Conflict", "{}"),
        Answer("HTTP/1.1 302 Found", "", ("location: http://127.0.0.1:1/",)),
        Answer(body="not JSON"),
        Answer(body="[1]"),
        Answer(HALF),
        Answer("no HTTP at all"),
    ],
    ids=lambda answer: answer.status + answer.body,
)
async def test_whatever_may_be_mended_is_worth_another_try(answer: Answer) -> None:
    async with provider_server(answer) as server:
        with pytest.raises(DeliveryFailed) as failed:
            await at(Resend, server.url).deliver(a_message())

    assert not isinstance(failed.value, MessageRefused)
    assert KEY not in str(failed.value)


@pytest.mark.parametrize("mood", [HANG, TRICKLE])
async def test_a_provider_that_never_comes_to_an_end_is_left_at_the_deadline(mood: str) -> None:
    async with provider_server(Answer(mood)) as server, asyncio.timeout(5):
        with pytest.raises(DeliveryFailed, match=r"No answer within 0\.2 seconds"):
            await at(Postmark, server.url, deadline=0.2).deliver(a_message())


async def test_a_provider_that_cannot_be_reached_is_worth_another_try() -> None:
    async with provider_server() as server:
        pass

    with pytest.raises(DeliveryFailed, match="ConnectError"):
        await at(Postmark, server.url).deliver(a_message())


@pytest.mark.parametrize(
    ("value", "wait"), [("30", 30), ("999999", 3600), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-1", 0)]
)
async def test_the_provider_may_say_when_to_come_back(value: str, wait: int) -> None:
    answer = Answer("HTTP/1.1 429 Too Many Requests", "{}", (f"retry-after: {value}",))
    async with provider_server(answer) as server:
        with pytest.raises(DeliveryFailed) as failed:
            await at(Postmark, server.url).deliver(a_message())

    assert failed.value.retry_after == timedelta(seconds=wait)


KINDS = {
    "mailbox": Mailbox,
    "postmark": Postmark,
    "resend": Resend,
    "ses": Ses,
    "mailgun": Mailgun,
    "sendgrid": SendGrid,
    "smtp": Smtp,
}


async def test_the_settings_choose_the_providers_and_their_order(settings: Settings) -> None:
    names = tuple(reversed(KINDS))
    chosen = carriers_for(replace(settings, email=EmailSettings(providers=names)))

    assert [type(carrier.provider) for carrier in chosen] == [KINDS[name] for name in names]
    assert [carrier.provider.name for carrier in chosen] == list(names)
