"""Files, for programs: the same queries, actions and permissions as the page."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.files import actions, queries
from app.files.forms import FileQuery
from app.files.handlers import any_file, available_file, position
from app.files.links import download_link
from app.files.models import File, FileState
from app.files.receiving import Received
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.models import Scope
from app.pagination import PAGING_HEADERS, Pager, page_response
from core.datastructures import UploadFile
from core.openapi import operation
from core.params import File as FilePart
from core.params import Query, Status
from core.requests import Request
from core.responses import Response

UPLOAD_REFUSALS = {
    400: "The form has too many parts, or cannot be read.",
    413: "More than 100 MB, or more than the organization has room for.",
    422: "The content is not what the name's ending says, or a picture cannot be decoded.",
    503: "The storage is full or out of reach.",
}

ViewingScope = Annotated[Scope, Allowed("files.view")]
DeletingScope = Annotated[Scope, Allowed("files.delete")]


class FileOut(BaseModel):
    """A file of an organization."""

    id: UUID
    filename: Annotated[str, Field(examples=["plan.pdf"])]
    content_type: Annotated[str, Field(description="Found in the content.", examples=["application/pdf"])]
    size: Annotated[int, Field(description="Bytes.", ge=0)]
    sha256: Annotated[str, Field(description="Of the content as it is kept; pictures are encoded anew.")]
    state: Annotated[FileState, Field(description="Quarantined files are listed and not handed out.")]
    uploaded_by: Annotated[UUID | None, Field(description="Null when the person's account is gone.")]
    created_at: datetime
    deleted_at: datetime | None


class FilePage(BaseModel):
    """Some of an organization's files."""

    items: list[FileOut]
    next_cursor: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]


class DownloadLinkOut(BaseModel):
    """Where a file's content is, for the person who asked, with the same token or session, for five minutes."""

    url: str
    expires_at: datetime


@operation(refusals=MOVED, headers=PAGING_HEADERS)
async def list_files(
    request: Request, scope: ViewingScope, db: Db, query: Annotated[FileQuery, Query()]
) -> FilePage | Response:
    """List the files of an organization.

    The newest come first.
    """
    pager = Pager(request, query, f"files:{scope.organization.id}:{query.list_name}")
    found = pager.page(
        await queries.list_files(db, scope, query.filter, after=pager.after, limit=pager.limit), position
    )
    items = [_file(each) for each in found.rows]
    return page_response(request, FilePage(items=items, next_cursor=found.next_cursor), found.next_cursor)


@operation(refusals=MOVED | UPLOAD_REFUSALS)
async def upload_file(
    request: Request,
    _form: Received,
    scope: Annotated[Scope, Allowed("files.upload")],
    db: Db,
    settings: CurrentSettings,
    file: Annotated[UploadFile, FilePart()],
) -> Annotated[FileOut, Status(201)]:
    """Upload a file.

    A form with one file in the field `file`. Its type is found in its content, which has to be what the name's ending says.
    """
    name, database = file.filename or "", request.app.state.database
    kept = await actions.keep_file(database, settings, scope, file.file, filename=name)
    await actions.publish_files(db, scope, [kept], facts=RequestFacts.of(request))
    kept.state = FileState.READY
    return _file(kept)


@operation(refusals=MOVED)
async def show_file(scope: ViewingScope, db: Db, file_id: UUID) -> FileOut:
    """Show what is known about a file. Deleted ones are found for a week."""
    return _file(await any_file(db, scope, file_id))


@operation(refusals=MOVED)
async def link_file(
    request: Request, scope: ViewingScope, db: Db, settings: CurrentSettings, file_id: UUID
) -> DownloadLinkOut:
    """Ask for the address of a file's content.

    It is good for five minutes, for the person who asked. Parts can be asked for with `Range`.
    """
    file = await available_file(db, scope, file_id)
    link = download_link(request.app, settings, scope, file.id, route="files.fetch")
    return DownloadLinkOut(url=f"{settings.base_url}{link.path}", expires_at=link.expires_at)


@operation(refusals=MOVED)
async def delete_file(request: Request, scope: DeletingScope, db: Db, file_id: UUID) -> None:
    """Delete a file. For a week it can be brought back."""
    file = await any_file(db, scope, file_id, is_locked=True)
    await actions.delete_file(db, scope, file, facts=RequestFacts.of(request))


@operation(refusals=MOVED | {409: "The file is not among the deleted ones any more."})
async def restore_file(request: Request, scope: DeletingScope, db: Db, file_id: UUID) -> FileOut:
    """Bring a deleted file back."""
    file = await any_file(db, scope, file_id, is_locked=True)
    await actions.restore_file(db, scope, file, facts=RequestFacts.of(request))
    return _file(file)


@operation(refusals=MOVED)
async def erase_files(request: Request, scope: DeletingScope, db: Db) -> None:
    """Erase all deleted files for good.

    Their room is free at once, and nobody can bring them back.
    """
    await actions.erase_files(db, scope, facts=RequestFacts.of(request))


def _file(file: File) -> FileOut:
    return FileOut.model_validate(file, from_attributes=True)
