"""Projects from files and as files."""

from typing import Annotated

from pydantic import Field

from app import clock
from app.audit.models import RequestFacts
from app.database import Db
from app.forms import Form
from app.language import gettext as _
from app.organizations.dependencies import Allowed
from app.organizations.models import Scope
from app.organizations.recording import note
from app.pages import path_of, see
from app.projects.csv_files import LARGEST_FILE, MOST_ROWS, UnreadableFile, read_text
from app.projects.exporting import exported
from app.projects.import_work import NothingImported, request_import
from app.projects.importing import COLUMNS, Review, review
from app.projects.listing import ProjectQuery
from app.templates import render
from core.datastructures import UploadFile
from core.params import File, Query, Submitted
from core.requests import Request
from core.responses import Response, StreamingResponse

ImportingScope = Annotated[Scope, Allowed("projects.import")]


class ImportForm(Form):
    """The text of a file that was looked at before."""

    text: Annotated[str, Field(max_length=LARGEST_FILE)]


async def ask_file(request: Request, scope: ImportingScope) -> Response:
    """Ask for a file, and say what it must look like."""
    return _show_form(request, Submitted.blank(ImportForm))


async def check_file(
    request: Request, scope: ImportingScope, db: Db, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Show what importing a file would do. Writes nothing."""
    form = Submitted.blank(ImportForm)
    try:
        text, encoding = read_text(await file.read() if file else b"")
        reviewed = await review(db, scope, text, encoding)
    except UnreadableFile as refusal:
        form.add_error("file", _(refusal.message))
        return _show_form(request, form)
    return _show_review(request, reviewed, text)


async def import_file(request: Request, scope: ImportingScope, db: Db, form: Submitted[ImportForm]) -> Response:
    """Have the file that was shown imported, after checking it again, and lead to where that is watched."""
    if not form.is_valid:
        return _show_form(request, Submitted.blank(ImportForm))
    try:
        reviewed = await review(db, scope, form.data.text)
        result_path = path_of(request, "projects.projects", slug=scope.organization.slug)
        progress = await request_import(db, scope, reviewed, result_path=result_path, facts=RequestFacts.of(request))
    except UnreadableFile as refusal:
        form.add_error("file", _(refusal.message))
        return _show_form(request, form)
    except NothingImported:
        # Since the file was shown somebody has started a project of the same name.
        return _show_review(request, reviewed, form.data.text, status_code=409)
    return see(request, "jobs.progress", progress_id=progress.id)


async def export_file(
    request: Request,
    scope: Annotated[Scope, Allowed("projects.view")],
    db: Db,
    query: Annotated[ProjectQuery, Query()],
) -> Response:
    """Download the list, with the same filter and in the same order."""
    await note(db, "projects.exported", scope.organization, scope.user, RequestFacts.of(request))
    rows = exported(request.app.state.database, scope, query.filter, query.sort)
    name = f"projects-{clock.now():%Y-%m-%d}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return StreamingResponse(rows, headers=headers, media_type="text/csv; charset=utf-8")


def _show_form(request: Request, form: Submitted[ImportForm]) -> Response:
    kilobytes = LARGEST_FILE // 1024
    return render(
        request, "projects/import.html", form=form, columns=COLUMNS, most_rows=MOST_ROWS, largest_kilobytes=kilobytes
    )


def _show_review(request: Request, reviewed: Review, text: str, *, status_code: int = 200) -> Response:
    status_code = 422 if reviewed.faulty and status_code == 200 else status_code
    return render(request, "projects/review_import.html", status_code=status_code, review=reviewed, text=text)
