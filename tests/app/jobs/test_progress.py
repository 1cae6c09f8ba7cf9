"""How far long work has come, from the worker to the page."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.database import Database
from app.jobs import actions
from app.jobs.models import JobProgress
from app.jobs.progress import PROGRESSED, begin_progress, reported
from app.jobs.registry import JobContext
from app.publishing import RealtimeEvent
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in

# Without a script; with one the page is told (tests/browser/test_live_parts.py).
RELOADS = '<noscript><meta http-equiv="refresh" content="2"></noscript>'


@pytest.fixture
async def ada(db: AsyncSession) -> User:
    return await add_person(db)


@pytest.fixture
async def progress(db: AsyncSession, ada: User) -> JobProgress:
    return await begin_progress(db, user_id=ada.id, title="Importing members")


async def test_a_page_shows_the_work_waiting_running_and_done(
    client: AsyncTestClient, settings: Settings, database: Database, progress: JobProgress
) -> None:
    await log_in(client)
    path = f"/jobs/{progress.id}"
    waiting = await client.get(path)
    assert "Waiting" in waiting.text
    assert RELOADS in waiting.text

    async with reported(JobContext(settings, database), progress.id) as reporter:
        await reporter.advance(3, of=12)
        assert "3 of 12" in (await client.get(path)).text
        await reporter.lead_to("/account/activity")

    done = await client.get(path)
    assert "Show the result" in done.text
    assert RELOADS not in done.text
    told = (await client.get(f"/api/v1/jobs/{progress.id}")).json()
    assert (told["state"], told["done"], told["total"], told["reason"]) == ("done", 3, 12, None)


async def test_every_change_is_told_to_the_persons_pages(
    settings: Settings, database: Database, db: AsyncSession, progress: JobProgress
) -> None:
    async with reported(JobContext(settings, database), progress.id) as reporter:
        await reporter.advance(3, of=12)

    told = (await db.scalars(select(RealtimeEvent).where(RealtimeEvent.topic == f"user:{progress.user_id}"))).all()
    assert [(event.type, event.data) for event in told] == [(PROGRESSED, {"progress_id": str(progress.id)})] * 3


@pytest.mark.parametrize(("attempt", "state"), [(1, "waiting"), (2, "failed")])
async def test_work_that_fails_waits_for_the_next_attempt_and_has_failed_after_the_last(
    settings: Settings, database: Database, db: AsyncSession, progress: JobProgress, attempt: int, state: str
) -> None:
    with pytest.raises(ConnectionError):
        async with reported(JobContext(settings, database, attempt=attempt, attempts=2), progress.id):
            raise ConnectionError

    await db.refresh(progress)
    assert progress.state == state


@pytest.mark.requirement("TEN-2")
async def test_anothers_work_is_not_found(client: AsyncTestClient, db: AsyncSession, progress: JobProgress) -> None:
    await add_person(db, "Grace Hopper", "grace@example.com")
    await log_in(client, "grace@example.com")

    for path in (f"/jobs/{progress.id}", f"/api/v1/jobs/{progress.id}"):
        assert (await client.get(path)).status_code == 404


async def test_work_of_long_ago_is_forgotten(db: AsyncSession, progress: JobProgress) -> None:
    await actions.forget_progress(db, before=clock.now() + timedelta(seconds=1))

    assert (await db.scalars(select(JobProgress.id))).all() == []
