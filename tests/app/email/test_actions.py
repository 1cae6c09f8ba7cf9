"""Sending: with the transaction or not at all, through failures, once per key, and nothing left lying about."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.config import Settings
from app.database import Database
from app.email import actions
from app.email.delivery import deliver
from app.email.models import EmailMessage, EmailStatus
from app.email.providers import Carriers, Mailbox, Resend
from app.jobs.registry import JobContext, RegisteredJob, RetryLater, get_job
from app.jobs.worker import Worker
from tests.app.email.provider_server import Answer, ProviderServer, provider_server

LINK = "https://slipway.test/verify-email?token=abc"
FAILS = Answer("HTTP/1.1 500 Internal Server Error", "out of order")
REFUSES = Answer("HTTP/1.1 422 Unprocessable Content", "no such address")


async def send(db: AsyncSession, settings: Settings, **options: Any) -> EmailMessage:
    return await actions.send(
        db,
        settings=settings,
        to=options.pop("to", "ada@example.com"),
        template="accounts/verify_email",
        context={"url": LINK, "code": "123456"},
        **options,
    )


async def send_one(database: Database, settings: Settings) -> EmailMessage:
    async with database.transaction() as db:
        return await send(db, settings)


async def reload(database: Database, message: EmailMessage) -> EmailMessage:
    async with database.transaction() as db:
        return (await db.scalars(select(EmailMessage).where(EmailMessage.id == message.id))).one()


def resend_at(server: ProviderServer) -> Carriers:
    return Carriers([Resend("key", "Slipway <hello@example.com>", url=server.url, deadline=5)])


def context_of(settings: Settings, database: Database, attempt: int = 1) -> JobContext:
    return JobContext(settings, database, attempt=attempt, attempts=3)


async def count_jobs(db: AsyncSession) -> int:
    return int(await db.scalar(text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'email.deliver'")) or 0)


async def test_a_message_and_its_delivery_are_written_with_the_change_that_causes_them(
    fresh_database: Database, settings: Settings
) -> None:
    async def change_that_fails() -> None:
        async with fresh_database.transaction() as db:
            await send(db, settings)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await change_that_fails()
    async with fresh_database.transaction() as db:
        assert await db.scalar(select(func.count()).select_from(EmailMessage)) == 0
        assert await count_jobs(db) == 0

    message = await send_one(fresh_database, settings)
    async with fresh_database.transaction() as db:
        assert await count_jobs(db) == 1
    assert (await reload(fresh_database, message)).status == EmailStatus.QUEUED


async def test_a_second_message_with_the_same_key_is_not_sent(db: AsyncSession, settings: Settings) -> None:
    first = await send(db, settings, dedup_key="welcome:1")
    again = await send(db, settings, dedup_key="welcome:1")
    other = await send(db, settings, dedup_key="welcome:2")

    assert again.id == first.id != other.id
    assert await count_jobs(db) == 2


async def test_the_mailbox_counts_as_delivered_and_keeps_the_message(database: Database, settings: Settings) -> None:
    message = await send_one(database, settings)

    await deliver(context_of(settings, database), Carriers([Mailbox()]), message.id)

    found = await reload(database, message)
    assert (found.status, found.provider, found.attempts) == (EmailStatus.SENT, "mailbox", 1)
    assert LINK in found.text


async def test_a_delivered_message_leaves_no_secret_link_behind(database: Database, settings: Settings) -> None:
    message = await send_one(database, settings)
    async with provider_server() as server:
        await deliver(context_of(settings, database), resend_at(server), message.id)

    found = await reload(database, message)
    assert (found.status, found.provider_id) == (EmailStatus.SENT, "provider-1")
    assert found.sent_at is not None
    assert found.subject
    assert (found.text, found.html) == ("", "")


async def test_a_message_is_handed_over_once_however_often_its_job_runs(database: Database, settings: Settings) -> None:
    message = await send_one(database, settings)
    async with provider_server() as server:
        for _ in range(3):
            await deliver(context_of(settings, database), resend_at(server), message.id)

    assert len(server.asked) == 1


async def test_after_a_crash_while_sending_the_message_is_offered_again_under_the_same_key(
    database: Database, settings: Settings
) -> None:
    message = await send_one(database, settings)
    async with database.transaction() as db:
        await db.execute(text("UPDATE email_messages SET status = 'sending', provider = 'resend', attempts = 1"))

    async with provider_server() as server:
        await deliver(context_of(settings, database), resend_at(server), message.id)

    assert [asked.headers["idempotency-key"] for asked in server.asked] == [str(message.id)]
    assert (await reload(database, message)).status == EmailStatus.SENT


async def test_a_failure_is_noted_and_the_message_waits_for_the_next_try(
    database: Database, settings: Settings
) -> None:
    message = await send_one(database, settings)
    async with provider_server(FAILS) as server:
        with pytest.raises(RetryLater):
            await deliver(context_of(settings, database), resend_at(server), message.id)

    found = await reload(database, message)
    assert (found.status, found.last_error) == (EmailStatus.QUEUED, "HTTP 500: out of order")
    assert LINK in found.text


async def test_a_refused_message_is_not_tried_again(database: Database, settings: Settings) -> None:
    message = await send_one(database, settings)
    async with provider_server(REFUSES) as server:
        for _ in range(2):
            await deliver(context_of(settings, database), resend_at(server), message.id)

    found = await reload(database, message)
    assert len(server.asked) == 1
    assert (found.status, found.last_error) == (EmailStatus.FAILED, "HTTP 422: no such address")
    assert (found.text, found.html) == ("", "")


async def test_after_the_last_attempt_the_message_is_kept_and_can_be_sent_by_hand(
    database: Database, settings: Settings
) -> None:
    message = await send_one(database, settings)
    async with provider_server(FAILS, Answer()) as server:
        with pytest.raises(RetryLater):
            await deliver(context_of(settings, database, attempt=3), resend_at(server), message.id)
        failed = await reload(database, message)
        assert failed.status == EmailStatus.FAILED
        assert LINK in failed.text

        async with database.transaction() as db:
            await actions.redeliver(db, failed)
        await deliver(context_of(settings, database), resend_at(server), message.id)

    assert (await reload(database, message)).status == EmailStatus.SENT


async def test_the_worker_delivers_through_two_failures_of_the_provider(
    fresh_database: Database, settings: Settings
) -> None:
    message = await send_one(fresh_database, settings)
    async with provider_server(FAILS, FAILS, Answer()) as server:
        at_once = timedelta(milliseconds=100)
        jobs = delivering_to(server)
        await Worker(settings, fresh_database, jobs=jobs, backoff=lambda _: timedelta(0), look_every=at_once).drain()

    found = await reload(fresh_database, message)
    assert (found.status, found.attempts, found.last_error) == (EmailStatus.SENT, 3, None)
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1


def delivering_to(server: ProviderServer) -> Iterable[RegisteredJob]:
    carriers = resend_at(server)

    async def deliver_there(context: JobContext, *, email_id: Any) -> None:
        await deliver(context, carriers, email_id)

    return [replace(get_job("email.deliver"), handler=deliver_there)]


async def test_the_registered_job_delivers_to_the_mailbox(fresh_database: Database, settings: Settings) -> None:
    message = await send_one(fresh_database, settings)

    await Worker(settings, fresh_database).drain()

    assert (await reload(fresh_database, message)).status == EmailStatus.SENT


async def test_old_messages_are_forgotten_unless_they_still_wait(
    db: AsyncSession, database: Database, settings: Settings
) -> None:
    delivered, waiting = await send_one(database, settings), await send_one(database, settings)
    await deliver(context_of(settings, database), Carriers([Mailbox()]), delivered.id)

    assert await actions.forget_messages(db, before=clock.now() + timedelta(minutes=1)) == 1

    assert (await db.scalars(select(EmailMessage.id))).all() == [waiting.id]
