"""Importing projects, for programs."""

from typing import Annotated

from pydantic import Field

from app.audit.models import RequestFacts
from app.database import Db
from app.forms import JsonBody
from app.idempotency import REFUSALS, Once
from app.jobs.documents import JobOut, shown
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.models import Scope
from app.pages import path_of
from app.projects.csv_files import LARGEST_FILE
from app.projects.import_work import request_import
from app.projects.importing import Review, review
from core.openapi import operation
from core.params import Body, Status
from core.problems import InvalidInput
from core.requests import Request
from core.responses import Response


class NewImport(JsonBody):
    """Projects to be started, all or none."""

    text: Annotated[
        str,
        Field(
            max_length=LARGEST_FILE,
            description="A table as CSV (RFC 4180) with at most 1,000 rows. Its first line names the columns: `name`, and if "
            "you like `description`, `status`, `lead` (a member's e-mail address) and `due_on`.",
            examples=["name,status,due_on\nNew website,active,2030-12-31\n"],
        ),
    ]


@operation(refusals={**MOVED, **REFUSALS}, headers={"Location": "Where to see how far the import is."})
async def import_projects(
    request: Request,
    scope: Annotated[Scope, Allowed("projects.import")],
    db: Db,
    once: Once,
    new: Annotated[NewImport, Body(unique_names=True)],
) -> Annotated[JobOut | Response, Status(202)]:
    """Import projects from a file.

    All lines are checked at once, and every mistake is told. The projects are started afterwards, all or none of them; a
    token needs `account:read` as well to see how far that is.
    """
    if once.earlier is not None:
        return once.earlier
    reviewed = await review(db, scope, new.text)
    if reviewed.faulty:
        raise InvalidInput(_mistakes(reviewed))
    result_path = path_of(request, "projects.projects", slug=scope.organization.slug)
    progress = await request_import(db, scope, reviewed, result_path=result_path, facts=RequestFacts.of(request))
    headers = {"location": path_of(request, "jobs.show_job", job_id=progress.id)}
    content = shown(progress).model_dump_json()
    return await once.keep(Response(content, 202, headers, media_type="application/json"))


def _mistakes(reviewed: Review) -> list[dict[str, str]]:
    return [
        {"in": "body", "pointer": "#/text", "code": "line_invalid", "detail": f"{line.line}: {error}"}
        for line in reviewed.faulty
        for error in line.errors
    ]
