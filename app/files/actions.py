"""Keeping files, deleting them and bringing them back, and sweeping up what nobody needs any more."""

from collections.abc import Sequence
from datetime import timedelta
from typing import BinaryIO

from anyio import CancelScope
from sqlalchemy import delete, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, name_organization, system_scope
from app.errors import Refusal
from app.files.filenames import clean_filename
from app.files.inspection import Content, inspected
from app.files.models import UNDO_WINDOW, File, FileRemoval, FileState
from app.files.queries import DELETED, used_bytes
from app.files.storage import StorageFails, new_key, storage_in_use
from app.language import N_
from app.organizations.models import Scope
from app.organizations.recording import note, note_about

# An upload that takes longer than this was interrupted.
PENDING_FOR = timedelta(days=1)
SWEPT_AT_ONCE = 500
NEVER_SHOWN = "The organization never saw this file: it is recorded when it is shown."


class QuotaExceeded(Refusal):
    """The organization's files would take more than it has room for."""

    status_code = 413

    def __init__(self) -> None:
        super().__init__(
            N_("There is not enough room left for this. Delete what you no longer need, and erase the deleted files.")
        )


class NotDeleted(Refusal):
    """Somebody else brought the file back, or its time is over."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("This file is not among the deleted ones any more."))


async def keep_file(database: Database, settings: Settings, scope: Scope, upload: BinaryIO, *, filename: str) -> File:
    """Keep an upload as a pending file, which `publish_files` shows to the organization.

    Its row is committed before the first byte is kept and holds its place in the quota; whatever fails afterwards takes it
    back, and a crash leaves it to the sweep. Raises NotWhatItsNameSays, UnusableImage, QuotaExceeded and StorageFails.
    """
    name = clean_filename(filename)
    try:
        async with inspected(upload, name) as content:
            file = await _reserve(database, settings, scope, name, content)
            try:
                await storage_in_use(settings).put(file.key, content.file)
            except BaseException:
                with CancelScope(shield=True):
                    await discard_file(database, scope, file)
                raise
    except OSError:
        raise StorageFails from None
    return file


async def publish_files(db: AsyncSession, scope: Scope, files: Sequence[File], *, facts: RequestFacts) -> None:
    """Show files whose bytes are kept."""
    await name_organization(db, scope.organization.id)
    await _move(db, files, FileState.READY)
    for file in files:
        await _note(db, "files.uploaded", scope, file, facts)


async def discard_file(database: Database, scope: Scope, file: File) -> None:
    """Give up a pending file, and its place in the quota; its bytes, if there are any, go with the next sweep."""
    async with database.transaction() as db:
        await name_organization(db, scope.organization.id)
        statement = delete(File).where(File.organization_id == scope.organization.id, File.id == file.id)
        await db.execute(statement.execution_options(unrecorded=NEVER_SHOWN))


async def delete_file(db: AsyncSession, scope: Scope, file: File, *, facts: RequestFacts) -> None:
    """Take a file away from the organization; for a week it can be brought back. Deleting twice is deleting once."""
    if file.state == FileState.DELETED:
        return
    # What was held back must not come back as harmless, so that its week is over at once.
    is_held_back = file.state == FileState.QUARANTINED
    file.state, file.deleted_at = FileState.DELETED, clock.now() - (UNDO_WINDOW if is_held_back else timedelta(0))
    await _note(db, "files.deleted", scope, file, facts)


async def restore_file(db: AsyncSession, scope: Scope, file: File, *, facts: RequestFacts) -> None:
    """Bring a deleted file back. Raises NotDeleted."""
    if file.erased_at is None or file.erased_at <= clock.now():
        raise NotDeleted
    file.state, file.deleted_at = FileState.READY, None
    await _note(db, "files.restored", scope, file, facts)


async def erase_files(db: AsyncSession, scope: Scope, *, facts: RequestFacts) -> int:
    """Erase all deleted files of the organization for good, which frees their room now; returns how many."""
    chosen = delete(File).where(File.organization_id == scope.organization.id, DELETED).returning(File.id)
    count = len((await db.execute(chosen.execution_options(synchronize_session=False))).all())
    if count:
        await note(db, "files.erased", scope.organization, scope.user, facts, {"files": [count, 0]})
    return count


async def forget_files(db: AsyncSession) -> int:
    """Delete the rows of interrupted uploads and of files that nobody brought back; returns how many, 500 at most."""
    over = or_(
        (File.state == FileState.PENDING) & (File.created_at < clock.now() - PENDING_FOR),
        (File.state == FileState.DELETED) & (File.deleted_at < clock.now() - UNDO_WINDOW),
    )
    chosen = select(File.id).where(over).limit(SWEPT_AT_ONCE).with_for_update(skip_locked=True)
    async with system_scope(db):
        statement = delete(File).where(File.id.in_(chosen)).returning(File.id)
        gone = await db.execute(
            statement.execution_options(unrecorded="Their deletion, and for how long, is recorded.")
        )
        return len(gone.all())


async def forget_removals(db: AsyncSession, done: Sequence[FileRemoval]) -> None:
    """Note that bytes are gone from their storage."""
    places = [(removal.storage, removal.key) for removal in done]
    await db.execute(delete(FileRemoval).where(tuple_(FileRemoval.storage, FileRemoval.key).in_(places)))


async def _reserve(database: Database, settings: Settings, scope: Scope, name: str, content: Content) -> File:
    """Commit a pending file, unless the quota has no room for it. The sum's lock lets one upload at a time decide."""
    values = {
        "organization_id": scope.organization.id,
        "uploaded_by": scope.user.id,
        "storage": settings.files.storage,
        "key": new_key(),
        "filename": name,
        "content_type": content.content_type,
        "size": content.size,
        "sha256": content.sha256,
    }
    async with database.transaction() as db:
        await name_organization(db, scope.organization.id)
        statement = insert(File).values(values).returning(File).execution_options(unrecorded=NEVER_SHOWN)
        file = (await db.scalars(statement)).one()
        if await used_bytes(db, scope) > settings.files.quota:
            raise QuotaExceeded
    return file


async def _move(db: AsyncSession, files: Sequence[File], state: FileState) -> None:
    chosen = File.id.in_([file.id for file in files])
    await db.execute(update(File).where(chosen).values(state=state).execution_options(synchronize_session=False))


async def _note(db: AsyncSession, action: str, scope: Scope, file: File, facts: RequestFacts) -> None:
    await note_about(db, action, scope, ("file", file.id, file.filename), facts)
