"""One message, several providers, and everything that can go wrong between them: it arrives once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.database import Database
from app.email.actions import CannotBeSentAgain, redeliver, send
from app.email.delivery import deliver
from app.email.models import EmailMessage
from app.email.providers import Carriers, Circuit, Postmark, Provider, Resend, SendGrid
from app.email.providers.circuit import FAILURES
from app.jobs.registry import JobContext, RetryLater
from core.testclient import AsyncTestClient
from tests.app.accounts.people import sign_up
from tests.app.email.provider_server import HALF, HANG, TRICKLE, Answer, provider_server

SENDER = "Slipway <hello@example.com>"
FAILS = Answer("HTTP/1.1 500 Internal Server Error", "out of order")
REFUSES = Answer("HTTP/1.1 422 Unprocessable Content", "no such address")
NOBODY = "http://127.0.0.1:1"  # Nothing listens there.


@pytest.fixture
async def message(db: AsyncSession, settings: Settings) -> EmailMessage:
    context = {"url": "https://slipway.test/x", "code": "123456"}
    return await send(db, settings=settings, to="ada@example.com", template="accounts/verify_email", context=context)


Try = Callable[..., Awaitable[None]]


@pytest.fixture
def attempt(settings: Settings, database: Database, db: AsyncSession, message: EmailMessage) -> Try:
    """One try of the job, by these providers or carriers; a failure that is tried again is no error here."""

    async def run(*providers: Provider, carriers: Carriers | None = None, number: int = 1, of: int = 9) -> None:
        context = JobContext(settings, database, attempt=number, attempts=of)
        with suppress(RetryLater):
            await deliver(context, carriers or Carriers(providers), message.id)
        await db.refresh(message)

    return run


def resend(url: str, deadline: float = 5) -> Provider:
    return Resend("key", SENDER, url=url, deadline=deadline)


def postmark(url: str, deadline: float = 5) -> Provider:
    return Postmark("key", SENDER, url=url, deadline=deadline)


def sendgrid(url: str, deadline: float = 5) -> Provider:
    return SendGrid("key", SENDER, url=url, deadline=deadline)


@pytest.mark.requirement("REL-8")
@pytest.mark.parametrize("is_reachable", [True, False])
async def test_the_next_provider_takes_over_from_one_that_surely_did_not_take_the_message(
    attempt: Try, message: EmailMessage, is_reachable: bool
) -> None:
    async with provider_server(FAILS) as first, provider_server() as second:
        await attempt(postmark(first.url if is_reachable else NOBODY), resend(second.url))

    assert (message.status, message.provider, message.attempts) == ("sent", "resend", 2)
    assert len(second.asked) == 1


async def test_a_message_that_one_provider_refuses_is_not_offered_to_the_next(
    attempt: Try, message: EmailMessage
) -> None:
    async with provider_server(REFUSES) as first, provider_server() as second:
        await attempt(postmark(first.url), resend(second.url))

    assert (message.status, message.text, second.asked) == ("failed", "", [])


@pytest.mark.requirement("REL-9", "REL-8")
@pytest.mark.parametrize("mood", [HANG, HALF, TRICKLE])
async def test_when_the_answer_is_lost_only_the_provider_that_was_asked_is_asked_again(
    attempt: Try, message: EmailMessage, mood: str
) -> None:
    async with provider_server(Answer(mood), Answer()) as first, provider_server() as second:
        carriers = Carriers([resend(first.url, deadline=0.2), postmark(second.url)])
        await attempt(carriers=carriers)
        assert (message.status, message.provider) == ("sending", "resend")
        await attempt(carriers=carriers, number=2)

    assert (message.status, message.provider, second.asked) == ("sent", "resend", [])
    assert len({asked.headers["idempotency-key"] for asked in first.asked}) == 1


@pytest.mark.requirement("REL-9")
@pytest.mark.parametrize(
    ("found", "posts"), [('{"Messages": [{"MessageID": "pm-7"}]}', 1), ('{"Messages": []}', 2)], ids=["has it", "not"]
)
async def test_a_provider_without_keys_is_asked_whether_it_has_the_message(
    attempt: Try, message: EmailMessage, found: str, posts: int
) -> None:
    answers = [Answer(HALF), Answer(body=found), Answer()]
    async with provider_server(*answers) as server:
        for number in (1, 2):
            await attempt(postmark(server.url), number=number)

    lines = [asked.line for asked in server.asked]
    assert message.status == "sent"
    assert sum(line.startswith("POST") for line in lines) == posts
    assert f"metadata_message={message.id}" in lines[1]
    assert message.provider_id == ("pm-7" if posts == 1 else "provider-1")


@pytest.mark.requirement("REL-9")
async def test_what_nobody_can_tell_is_left_to_a_person(attempt: Try, message: EmailMessage, db: AsyncSession) -> None:
    async with provider_server(Answer(HALF), Answer()) as server:
        for number in (1, 2, 3):
            await attempt(sendgrid(server.url), number=number)
        assert (message.status, len(server.asked)) == ("unclear", 1)

        await redeliver(db, message)
        await attempt(sendgrid(server.url))
        assert (message.status, len(server.asked)) == ("sent", 2)

    with pytest.raises(CannotBeSentAgain):
        await redeliver(db, message)


async def test_a_provider_that_is_configured_no_more_leaves_its_message_unclear(
    attempt: Try, message: EmailMessage
) -> None:
    async with provider_server(Answer(HALF)) as first, provider_server() as second:
        await attempt(resend(first.url))
        await attempt(postmark(second.url), number=2)

    assert (message.status, second.asked) == ("unclear", [])


@pytest.mark.parametrize(("answer", "status"), [(Answer(HALF), "unclear"), (FAILS, "failed")])
async def test_after_the_last_try_a_message_is_failed_or_unclear_and_keeps_its_text(
    attempt: Try, message: EmailMessage, answer: Answer, status: str
) -> None:
    async with provider_server(answer) as server:
        await attempt(resend(server.url), number=9)

    assert message.status == status
    assert message.can_be_sent_again


@pytest.mark.requirement("REL-8")
async def test_a_broken_provider_is_left_alone_and_then_tried_with_one_message(
    attempt: Try, message: EmailMessage, db: AsyncSession
) -> None:
    async with provider_server(*[FAILS] * FAILURES, Answer()) as first, provider_server(FAILS) as second:
        carriers = Carriers([resend(first.url), postmark(second.url)])
        for number in range(1, FAILURES + 3):
            await attempt(carriers=carriers, number=number)

    assert len(first.asked) == FAILURES
    assert message.status == "queued"
    assert carriers.rest.total_seconds() > 0


@pytest.mark.requirement("REL-8")
def test_a_circuit_opens_rests_probes_and_closes() -> None:
    time = [0.0]
    circuit = Circuit(failures=2, rest=30, now=lambda: time[0])
    for _ in range(2):
        assert circuit.enter()
        circuit.failed()
    assert not circuit.enter()
    assert circuit.wait == 30

    time[0] = 30
    assert circuit.enter()
    assert not circuit.enter()  # One probe at a time.
    circuit.failed()
    assert not circuit.enter()

    time[0] = 60
    assert circuit.enter()
    circuit.left()  # Cancelled: it proves nothing, so another may probe.
    assert circuit.enter()
    circuit.succeeded()
    assert circuit.enter()
    circuit.failed()
    assert circuit.enter()


@pytest.mark.requirement("REL-9")
async def test_a_cancelled_delivery_leaves_its_mark_behind(
    settings: Settings, database: Database, db: AsyncSession, message: EmailMessage
) -> None:
    async with provider_server(Answer(HANG), Answer()) as server:
        carriers = Carriers([resend(server.url)])
        context: Any = JobContext(settings, database, attempts=9)
        first = asyncio.ensure_future(deliver(context, carriers, message.id))
        async with asyncio.timeout(10):
            while not server.asked:
                await asyncio.sleep(0.005)  # The request is on its way over a real connection.
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await db.refresh(message)
        assert message.status == "sending"

        await deliver(context, carriers, message.id)
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1


@pytest.mark.requirement("REL-8", "REL-9")
async def test_no_page_waits_for_a_provider(client: AsyncTestClient, db: AsyncSession) -> None:
    async with provider_server(Answer(HANG)) as server, asyncio.timeout(5):
        assert (await sign_up(client)).status_code == 303

    assert server.asked == []
