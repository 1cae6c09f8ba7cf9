"""Every job that has a schedule does its work as the worker calls it: in transactions of its own, which are committed."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import clock, features
from app.accounts.actions import start_session
from app.accounts.models import Session, User
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import system_scope
from app.jobs.registry import JobContext, registered_jobs
from tests.databases import RolledBackDatabase

SCHEDULED = sorted(name for name, job in registered_jobs().items() if job.schedule)


@pytest.mark.parametrize("name", SCHEDULED)
async def test_a_scheduled_job_bears_what_has_become_old(
    database: RolledBackDatabase, settings: Settings, name: str
) -> None:
    await _begin_years_ago(database)

    await registered_jobs()[name].run(JobContext(settings, database), b"")


async def test_what_has_become_old_is_there_to_be_forgotten(database: RolledBackDatabase, settings: Settings) -> None:
    await _begin_years_ago(database)
    await registered_jobs()["accounts.forget_sessions"].run(JobContext(settings, database), b"")

    async with database.transaction() as db, system_scope(db):
        assert await db.scalar(select(func.count()).select_from(Session)) == 0


async def _begin_years_ago(database: RolledBackDatabase) -> None:
    """The demonstration, and somebody who was logged in then."""
    with clock.travel(timedelta(days=-1000)):
        async with database.transaction() as db, system_scope(db):
            for _, routes in features.modules("routes"):
                if hasattr(routes, "seed"):
                    await routes.seed(db)
            person = (await db.scalars(select(User).limit(1))).one()
            await start_session(db, person, methods=["password"], facts=RequestFacts())
