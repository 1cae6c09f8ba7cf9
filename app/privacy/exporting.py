"""Putting a person's data into one file."""

import io
import json
import zipfile
from datetime import timedelta
from uuid import UUID

from anyio import to_thread
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app import clock, features
from app.accounts.models import User
from app.audit.actions import record, record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, system_scope
from app.errors import Refusal
from app.exporting import Rows
from app.jobs.actions import enqueue
from app.jobs.progress import Reporter, begin_progress
from app.language import N_
from app.language import gettext as _
from app.notifications.actions import notify
from app.notifications.kinds import EXPORT_READY
from app.privacy import emails
from app.privacy.models import DataExport, ExportState
from app.profile.models import Avatar

LIFETIME = timedelta(days=7)


class ExportIsBuilding(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("We are putting your data together already."))


async def request_export(db: AsyncSession, user: User, *, facts: RequestFacts) -> DataExport:
    """Have the worker put a person's data together. Raises ExportIsBuilding."""
    export = DataExport(user_id=user.id)
    try:
        async with db.begin_nested():
            db.add(export)
    except IntegrityError:
        raise ExportIsBuilding from None
    await begin_progress(db, user_id=user.id, title=_("Your data"), id=export.id)
    await enqueue(db, "privacy.build_export", {"export_id": export.id})
    await record_by(db, "privacy.export_requested", user, facts)
    return export


async def build_export(database: Database, settings: Settings, export_id: UUID, progress: Reporter) -> None:
    """Put the data together and tell the person. Running it again changes nothing."""
    async with database.transaction() as db, system_scope(db):
        export = await db.get(DataExport, export_id, with_for_update=True)
        if export is None or export.state != ExportState.BUILDING:
            return
        user = await db.get_one(User, export.user_id, options=[joinedload(User.primary_email)])
        avatar = await db.get(Avatar, user.id)
        data = await collect(db, user, progress)
        content = await to_thread.run_sync(pack, data, avatar.content if avatar else None)
        now = clock.now()
        export.state, export.content, export.size = ExportState.READY, content, len(content)
        export.ready_at, export.expires_at = now, now + LIFETIME
        await emails.send_export_ready(db, settings, user)
        await notify(db, EXPORT_READY, user.id)
        await _record(db, "privacy.export_built", user.id)


async def give_up(database: Database, export_id: UUID) -> None:
    """Say that a copy could not be made, so that the person can ask anew."""
    async with database.transaction() as db:
        statement = update(DataExport).where(DataExport.id == export_id, DataExport.state == ExportState.BUILDING)
        user_id = await db.scalar(statement.values(state=ExportState.FAILED).returning(DataExport.user_id))
        if user_id is not None:
            await _record(db, "privacy.export_failed", user_id)


async def collect(db: AsyncSession, user: User, progress: Reporter) -> dict[str, Rows]:
    """What every feature has of a person, by feature."""
    modules = features.modules("export")
    data: dict[str, Rows] = {}
    for name, module in modules:
        data[name] = await module.export_person(db, user)
        await progress.advance(len(data), of=len(modules))
    return data


def pack(data: dict[str, Rows], avatar: bytes | None) -> bytes:
    """One ZIP file with a JSON file for each feature."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in data.items():
            archive.writestr(f"{name}.json", json.dumps(rows, indent=2, ensure_ascii=False, default=str))
        if avatar:
            archive.writestr("picture.webp", avatar)
    return out.getvalue()


async def forget_exports(db: AsyncSession) -> None:
    """Erase the content of copies that have expired."""
    over = (DataExport.state == ExportState.READY, DataExport.expires_at <= clock.now())
    statement = update(DataExport).where(*over).values(state=ExportState.EXPIRED, content=None)
    await db.execute(statement.execution_options(unrecorded="A copy ends on the day that its message named."))


async def _record(db: AsyncSession, action: str, user_id: UUID) -> None:
    """Note what the product itself did for a person who asked for their data."""
    await record(db, action, actor_id=None, target_type="user", target_id=user_id, request=RequestFacts())
