"""The staff's pages: for the staff alone, and what they do is in the audit trail."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import AuditEvent
from app.config import Settings
from app.database import system_scope
from app.email import suppressions
from app.email.actions import send
from app.email.models import EmailMessage, SuppressionReason
from app.jobs.actions import enqueue
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in

PAGES = ("/staff", "/staff/jobs", "/staff/lost-access", "/staff/mail", "/staff/mail/suppressions")
FAILURE = {"exception_type": "ConnectionError", "exception_message": "<b>down</b>", "traceback": "in work_on"}


@pytest.fixture
async def staff(client: AsyncTestClient, db: AsyncSession) -> User:
    """Somebody of the staff, logged in."""
    user = await add_person(db)
    user.is_staff = True
    await db.flush()
    await log_in(client)
    return user


@pytest.fixture
async def dead_job(db: AsyncSession) -> int:
    await enqueue(db, "jobs.trim_log", unique_key="trim")
    job_id = await db.scalar(text("UPDATE pgqueuer SET status = 'failed', attempts = 7 RETURNING id"))
    await db.execute(
        text(
            "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
            " VALUES (:id, 'failed', 0, 'jobs.trim_log', CAST(:failure AS jsonb))"
        ),
        {"id": job_id, "failure": json.dumps(FAILURE)},
    )
    return int(job_id or 0)


async def events(db: AsyncSession) -> list[tuple[str, str, str | None]]:
    statement = select(AuditEvent).where(AuditEvent.action.startswith("staff.")).order_by(AuditEvent.id)
    async with system_scope(db):
        return [(event.action, event.actor_type, event.target_label) for event in await db.scalars(statement)]


async def post(client: AsyncTestClient, path: str) -> int:
    return (await client.post(path, data={"csrf_token": await csrf_token(client)})).status_code


@pytest.mark.parametrize("path", [*PAGES, "/staff/jobs/1"])
async def test_for_others_the_pages_do_not_exist(client: AsyncTestClient, db: AsyncSession, path: str) -> None:
    assert (await client.get(path)).headers["location"].startswith("/log-in")
    await add_person(db)
    await log_in(client)

    assert (await client.get(path)).status_code == 404


async def test_for_others_the_actions_do_not_exist(client: AsyncTestClient, db: AsyncSession, dead_job: int) -> None:
    await add_person(db)
    await log_in(client)

    assert await post(client, f"/staff/jobs/{dead_job}/retry") == 404
    assert await db.scalar(text("SELECT status::text FROM pgqueuer")) == "failed"


async def test_acting_needs_a_recent_proof(client: AsyncTestClient, staff: User, dead_job: int) -> None:
    token = await csrf_token(client)
    with clock.travel(timedelta(minutes=16)):
        answer = await client.post(
            f"/staff/jobs/{dead_job}/discard", data={"csrf_token": token}, headers={"accept": "text/html"}
        )

    assert answer.headers["location"].startswith("/confirm-identity")


@pytest.mark.parametrize("path", PAGES[1:])
async def test_with_nothing_to_show_the_pages_say_so(client: AsyncTestClient, staff: User, path: str) -> None:
    page = await client.get(path)

    assert page.status_code == 200
    assert 'class="empty-state"' in page.text or "/log-in" in page.text or "<tbody>" in page.text
    assert "Suppressed addresses" in page.text


async def test_a_dead_job_is_shown_and_run_again(
    client: AsyncTestClient, db: AsyncSession, staff: User, dead_job: int
) -> None:
    assert "jobs.trim_log" in (await client.get("/staff/jobs")).text
    page = await client.get(f"/staff/jobs/{dead_job}")
    assert "&lt;b&gt;down" in page.text
    assert "in work_on" in page.text
    assert "8 attempts" in page.text

    assert await post(client, f"/staff/jobs/{dead_job}/retry") == 303
    assert await db.scalar(text("SELECT status::text FROM pgqueuer WHERE id = :id"), {"id": dead_job}) == "queued"
    assert await events(db) == [("staff.job_retried", "support", f"jobs.trim_log {dead_job}")]
    assert (await client.get(f"/staff/jobs/{dead_job}")).status_code == 404


async def test_a_dead_job_whose_work_waits_again_stays_dead(
    client: AsyncTestClient, db: AsyncSession, staff: User, dead_job: int
) -> None:
    await enqueue(db, "jobs.trim_log", unique_key="trim")
    assert await post(client, f"/staff/jobs/{dead_job}/retry") == 303

    assert "waiting or running already" in (await client.get("/staff/jobs")).text
    assert await events(db) == []


async def test_a_dead_job_is_discarded(client: AsyncTestClient, db: AsyncSession, staff: User, dead_job: int) -> None:
    assert await post(client, f"/staff/jobs/{dead_job}/discard") == 303

    assert await db.scalar(text("SELECT count(*) FROM pgqueuer WHERE id = :id"), {"id": dead_job}) == 0
    assert await events(db) == [("staff.job_discarded", "support", f"jobs.trim_log {dead_job}")]


@pytest.mark.parametrize("job_id", [2**62, 10**30])
async def test_a_job_that_is_not_there_is_not_found(client: AsyncTestClient, staff: User, job_id: int) -> None:
    assert (await client.get(f"/staff/jobs/{job_id}")).status_code == 404


async def write(db: AsyncSession, settings: Settings, to: str, status: str) -> EmailMessage:
    context = {"url": "https://slipway.test/secret-link", "code": "123456"}
    message = await send(db, settings=settings, to=to, template="accounts/verify_email", context=context)
    message.status = status
    await db.flush()
    return message


async def test_the_log_of_messages_is_filtered_and_hides_their_texts(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, staff: User
) -> None:
    await write(db, settings, "grace@example.com", "queued")
    failed = await write(db, settings, "alan@example.com", "failed")

    everything = (await client.get("/staff/mail")).text
    assert "grace@example.com" in everything
    assert "alan@example.com" in everything
    assert "grace@example.com" not in (await client.get("/staff/mail?status=failed")).text
    assert "alan@example.com" not in (await client.get("/staff/mail?to=grace@example.com")).text.split("<tbody>")[1]
    assert "Nothing was sent" in (await client.get("/staff/mail?to=nobody@example.com")).text
    page = (await client.get(f"/staff/mail/{failed.id}")).text
    assert "accounts/verify_email" in page
    assert "secret-link" not in everything + page


@pytest.mark.parametrize(("status", "becomes"), [("unclear", "queued"), ("failed", "queued"), ("sending", "sending")])
async def test_a_message_that_was_given_up_is_sent_again(
    client: AsyncTestClient, db: AsyncSession, settings: Settings, staff: User, status: str, becomes: str
) -> None:
    message = await write(db, settings, "alan@example.com", status)
    assert await post(client, f"/staff/mail/{message.id}/send-again") == 303

    await db.refresh(message)
    assert message.status == becomes
    assert len(await events(db)) == (1 if becomes == "queued" else 0)


async def test_a_suppressed_address_is_found_and_released(
    client: AsyncTestClient, db: AsyncSession, staff: User
) -> None:
    for address in ("gone@example.com", "angry@example.com"):
        await suppressions.suppress(
            db, address=address, reason=SuppressionReason.BOUNCE, provider="ses", detail="550 no such user"
        )
    page = (await client.get("/staff/mail/suppressions?search=GONE")).text
    assert "gone@example.com" in page
    assert "angry@example.com" not in page
    [gone] = await suppressions.list_suppressions(db, search="gone")

    assert await post(client, f"/staff/mail/suppressions/{gone.id}/release") == 303
    assert await post(client, f"/staff/mail/suppressions/{gone.id}/release") == 404
    assert not await suppressions.is_suppressed(db, "gone@example.com")
    assert await events(db) == [("staff.address_released", "support", "gone@example.com")]


async def test_the_pages_cost_few_statements(
    client: AsyncTestClient, staff: User, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    costs = {}
    for path in PAGES[1:]:
        await client.get(path)
        with statements() as executed:
            await client.get(path)
        costs[path] = len(executed)

    assert max(costs.values()) <= 6, costs
