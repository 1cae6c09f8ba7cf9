"""The page of an organization's files, and what its forms do."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from app.audit.models import RequestFacts
from app.config import CurrentSettings, Settings, current_settings
from app.database import Db
from app.errors import Refusal
from app.files import actions, queries
from app.files.delivery import deliver
from app.files.filenames import clean_filename
from app.files.forms import FileQuery
from app.files.links import LinkQuery, download_link, is_genuine, is_over
from app.files.models import File
from app.files.receiving import MOST_FILES, Received, uploads_in
from app.files.sizes import size_text
from app.language import gettext as _
from app.language import ngettext
from app.organizations.dependencies import Allowed
from app.organizations.models import Scope
from app.pages import path_of, see, see_path
from app.pagination import Pager, Position
from app.templates import flash, render
from core.datastructures import UploadFile
from core.exceptions import HTTPException
from core.params import Query
from core.requests import Request
from core.responses import Response

ViewingScope = Annotated[Scope, Allowed("files.view")]
DeletingScope = Annotated[Scope, Allowed("files.delete")]
ALMOST_FULL = 0.8


async def files(request: Request, scope: ViewingScope, db: Db, query: Annotated[FileQuery, Query()]) -> Response:
    """List the organization's files, in pages, and what they take of its room."""
    return await _show(request, scope, db, query)


async def upload(
    request: Request,
    form: Received,
    scope: Annotated[Scope, Allowed("files.upload")],
    db: Db,
    settings: CurrentSettings,
) -> Response:
    """Keep the files of the form; one that cannot be kept does not stop the others."""
    kept, problems = await _keep(request, settings, scope, uploads_in(form, "files"))
    if not kept and not problems:
        problems = [_("Choose at least one file.")]
    if kept:
        await actions.publish_files(db, scope, kept, facts=RequestFacts.of(request))
    if problems:
        return await _show(request, scope, db, FileQuery(), kept=kept, problems=problems)
    flash(request, _("Your files are uploaded."))
    return see(request, "files.files", slug=scope.organization.slug)


async def download(scope: ViewingScope, request: Request, db: Db, settings: CurrentSettings, file_id: UUID) -> Response:
    """Lead to a file's content, under an address that is good for five minutes."""
    return await _lead(request, scope, db, settings, file_id, inline=False)


async def view(scope: ViewingScope, request: Request, db: Db, settings: CurrentSettings, file_id: UUID) -> Response:
    """Lead to a picture, to be shown in the browser."""
    return await _lead(request, scope, db, settings, file_id, inline=True)


async def content(
    request: Request,
    scope: ViewingScope,
    db: Db,
    settings: CurrentSettings,
    file_id: UUID,
    link: Annotated[LinkQuery, Query()],
) -> Response:
    """Send a file to the person for whom the link was made, if they may still have it."""
    if not is_genuine(settings, scope, file_id, link):
        raise HTTPException(404)
    if is_over(link):
        raise HTTPException(410)
    return await deliver(request, settings, await available_file(db, scope, file_id), inline=link.inline)


async def delete(request: Request, scope: DeletingScope, db: Db, file_id: UUID) -> Response:
    """Delete a file, and offer to bring it back."""
    file, slug = await any_file(db, scope, file_id, is_locked=True), scope.organization.slug
    await actions.delete_file(db, scope, file, facts=RequestFacts.of(request))
    undo = path_of(request, "files.restore", slug=slug, file_id=file_id)
    flash(request, _("%(name)s is deleted.") % {"name": file.filename}, undo=undo)
    return see(request, "files.files", slug=slug)


async def restore(request: Request, scope: DeletingScope, db: Db, file_id: UUID) -> Response:
    """Bring a deleted file back."""
    file = await any_file(db, scope, file_id, is_locked=True)
    try:
        await actions.restore_file(db, scope, file, facts=RequestFacts.of(request))
    except Refusal as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        flash(request, _("%(name)s is back.") % {"name": file.filename})
    return see(request, "files.files", slug=scope.organization.slug)


async def ask_erasure(request: Request, scope: DeletingScope, db: Db) -> Response:
    """Say what erasing the deleted files frees, and that nobody brings them back."""
    deleted = await queries.measure_deleted(db, scope)
    return render(request, "files/erase.html", deleted=deleted, size_text=size_text)


async def erase(request: Request, scope: DeletingScope, db: Db) -> Response:
    """Erase the deleted files for good."""
    count = await actions.erase_files(db, scope, facts=RequestFacts.of(request))
    text = ngettext("One file is erased. Its room is free.", "%(num)s files are erased. Their room is free.", count)
    flash(request, text % {"num": count})
    return see(request, "files.files", slug=scope.organization.slug)


async def any_file(db: Db, scope: Scope, file_id: UUID, *, is_locked: bool = False) -> File:
    """A file of the organization, even a deleted one. Another organization's is the same 404 as one that never was."""
    file = await queries.find_file(db, scope, file_id, is_locked=is_locked)
    if file is None:
        raise HTTPException(404)
    return file


async def available_file(db: Db, scope: Scope, file_id: UUID) -> File:
    """A file of the organization that may be handed out."""
    file = await any_file(db, scope, file_id)
    if not file.can_be_downloaded:
        raise HTTPException(404)
    return file


async def _keep(
    request: Request, settings: Settings, scope: Scope, uploads: Sequence[UploadFile]
) -> tuple[list[File], list[str]]:
    """The files that are kept, and a sentence for each one that is not."""
    kept, problems = [], []
    for each in uploads:
        name, database = each.filename or "", request.app.state.database
        try:
            kept.append(await actions.keep_file(database, settings, scope, each.file, filename=name))
        except Refusal as refusal:
            problems.append(f"{clean_filename(name)}: {_(refusal.message)}")
    return kept, problems


async def _lead(request: Request, scope: Scope, db: Db, settings: Settings, file_id: UUID, *, inline: bool) -> Response:
    file = await available_file(db, scope, file_id)
    is_shown = inline and file.is_image
    link = download_link(request.app, settings, scope, file.id, route="files.content", inline=is_shown)
    return see_path(link.path)


async def _show(
    request: Request,
    scope: Scope,
    db: Db,
    query: FileQuery,
    *,
    kept: Sequence[File] = (),
    problems: Sequence[str] = (),
) -> Response:
    pager = Pager(request, query, f"files:{scope.organization.id}:{query.list_name}")
    listed = await queries.list_files(db, scope, query.filter, after=pager.after, limit=pager.limit)
    page = pager.page(listed, position)
    quota, used = current_settings(request).files.quota, await queries.used_bytes(db, scope)
    is_almost_full = used > quota * ALMOST_FULL
    return render(
        request,
        "files/files.html",
        status_code=422 if problems else 200,
        files=page.rows,
        query=query,
        kept=kept,
        problems=problems,
        next_path=_next_path(request, scope, query, page.next_cursor),
        used=used,
        quota=quota,
        is_almost_full=is_almost_full,
        deleted=await queries.measure_deleted(db, scope) if is_almost_full else None,
        most_files=MOST_FILES,
        size_text=size_text,
    )


def position(file: File) -> Position:
    """Where a file stands in the list."""
    return Position(file.created_at, file.id)


def _next_path(request: Request, scope: Scope, query: FileQuery, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    asked = {"search": query.search, "state": "deleted" if query.filter.is_deleted else "", "cursor": cursor}
    parameters = urlencode({name: value for name, value in asked.items() if value})
    return f"{path_of(request, 'files.files', slug=scope.organization.slug)}?{parameters}"
