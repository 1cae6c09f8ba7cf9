"""The organization's projects as a file, written while it is sent: however many there are, few are in memory."""

from collections.abc import AsyncIterator

from app.database import Database, name_organization
from app.organizations.models import Scope
from app.projects import queries
from app.projects.importing import COLUMNS
from app.projects.listing import ProjectFilter, ProjectOrder
from app.projects.models import Project
from app.spreadsheets import csv_line
from app.time_zones import zone

BYTE_ORDER_MARK = "\ufeff"  # Without it, spreadsheets take UTF-8 for an encoding of their own.
ROWS_AT_A_TIME = 500


async def exported(database: Database, scope: Scope, wanted: ProjectFilter, order: ProjectOrder) -> AsyncIterator[str]:
    """The file in pieces. The columns are those that can be imported again, and when each project was started.

    Each piece is read in a transaction of its own: no connection waits for somebody on a slow line. A project that is
    changed meanwhile is in the file once, before or after its change, unless the change moved it in the list.
    """
    yield BYTE_ORDER_MARK + csv_line([*COLUMNS, "created_at"])
    after = None
    while True:
        async with database.transaction() as db:
            await name_organization(db, scope.organization.id)
            found = await queries.list_projects(db, scope, wanted, order, after=after, limit=ROWS_AT_A_TIME)
        if found:
            yield "".join(csv_line(_cells(listed.project)) for listed in found)
        if len(found) < ROWS_AT_A_TIME:
            return
        after = found[-1].position


def _cells(project: Project) -> list[object]:
    lead = project.lead.email if project.lead else None
    made_at = project.created_at.astimezone(zone()).isoformat()
    return [project.name, project.description, project.status, lead, project.due_on, made_at]
