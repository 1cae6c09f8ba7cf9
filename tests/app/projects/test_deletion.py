"""What becomes of deleted projects."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import system_scope
from app.jobs.registry import JobContext, get_job
from app.projects.deletion import KEPT, delete_project
from tests.app.accounts.people import add_person
from tests.app.projects.starting import events_of, projects_of, scope_of, start
from tests.databases import RolledBackDatabase


async def test_a_deleted_project_is_erased_after_thirty_days_and_no_sooner(
    db: AsyncSession, database: RolledBackDatabase, settings: Settings
) -> None:
    ada = await add_person(db)
    await start(db, ada, "Kept")
    project = await start(db, ada, "Boat")
    scope = await scope_of(db, ada)
    async with system_scope(db):
        await delete_project(db, scope, project, facts=RequestFacts())
    job, context = get_job("projects.erase"), JobContext(settings, database)

    with clock.travel(KEPT - timedelta(minutes=1)):
        await job.run(context, b"{}")
        assert len(await projects_of(db)) == 2
    with clock.travel(KEPT + timedelta(minutes=1)):
        await job.run(context, b"{}")
    assert [each.name for each in await projects_of(db)] == ["Kept"]
    (event,) = await events_of(db, "projects.erased")
    assert (event.actor_type, event.target_id, event.target_label) == ("system", project.id, None)
