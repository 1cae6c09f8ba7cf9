"""What is known about files: those of an organization in pages, one by its id, the room that is used, and what has to go."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.files.models import File, FileRemoval, FileState, FileUsage
from app.organizations.models import Scope
from app.pagination import Pages, Position
from app.reads import Read
from app.searching import containing


@dataclass(frozen=True)
class FileFilter:
    """Which files are asked for: those whose name has `search` in it; the deleted ones instead of the others."""

    search: str = ""
    is_deleted: bool = False


@dataclass(frozen=True)
class DeletedFiles:
    """How many files wait to be erased, and how many bytes they take meanwhile."""

    files: int
    size: int


LISTED = or_(File.state == FileState.READY, File.state == FileState.QUARANTINED)
DELETED = File.state == FileState.DELETED


def _files(state: ColumnElement[bool]) -> Select[File, User]:
    searched = bindparam("pattern", type_=Text())
    return (
        select(File, User)
        .outerjoin(File.uploader)
        .where(
            and_(
                File.organization_id == bindparam("organization_id"),
                state,
                or_(searched.is_(None), File.filename.ilike(searched, escape="\\")),
            )
        )
    )


_ORDER = (File.created_at, File.id)
_LISTED = Pages(_files(LISTED), File.uploader, order=_ORDER, newest_first=True)
_DELETED = Pages(_files(DELETED), File.uploader, order=_ORDER, newest_first=True)
_ONE = (
    select(File, User)
    .outerjoin(File.uploader)
    .where(File.organization_id == bindparam("organization_id"), File.id == bindparam("file_id"))
    .where(File.state != FileState.PENDING)
)
_FILE = Read(_ONE, File.uploader)
_LOCKED_FILE = Read(_ONE.with_for_update(of=File), File.uploader)
_USAGE = Read(select(FileUsage).where(FileUsage.organization_id == bindparam("organization_id")))


async def list_files(
    db: AsyncSession, scope: Scope, wanted: FileFilter, *, after: Position | None = None, limit: int | None = None
) -> Sequence[File]:
    """The organization's files with who uploaded them, the newest first."""
    pages = _DELETED if wanted.is_deleted else _LISTED
    values = {"organization_id": scope.organization.id, "pattern": containing(wanted.search)}
    return [file for file, _ in await pages.page(db, after, limit, **values)]


async def find_file(db: AsyncSession, scope: Scope, file_id: UUID, *, is_locked: bool = False) -> File | None:
    """A file of the scope's organization with who uploaded it, deleted ones too; never one that is still being uploaded.

    Locked for whoever changes it: nobody erases it meanwhile.
    """
    read = _LOCKED_FILE if is_locked else _FILE
    row = await read.first(db, organization_id=scope.organization.id, file_id=file_id)
    return row[0] if row else None


async def used_bytes(db: AsyncSession, scope: Scope) -> int:
    """How many bytes the organization's files take, those that are being uploaded or can still be brought back included."""
    row = await _USAGE.first(db, organization_id=scope.organization.id)
    return row[0].size if row else 0


async def count_files(db: AsyncSession, scope: Scope) -> int:
    row = await _USAGE.first(db, organization_id=scope.organization.id)
    return row[0].files if row else 0


async def measure_deleted(db: AsyncSession, scope: Scope) -> DeletedFiles:
    """What erasing the organization's deleted files would free."""
    statement = select(func.count(), func.coalesce(func.sum(File.size), 0)).where(
        File.organization_id == scope.organization.id, DELETED
    )
    files, size = (await db.execute(statement)).one()
    return DeletedFiles(files, int(size))


async def list_removals(db: AsyncSession, limit: int) -> Sequence[FileRemoval]:
    """What has to go from the storages, the longest waiting first; locked, so that two workers share the work."""
    statement = select(FileRemoval).order_by(FileRemoval.created_at).limit(limit).with_for_update(skip_locked=True)
    return (await db.scalars(statement)).all()
