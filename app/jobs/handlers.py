"""The page on which somebody waits for their work."""

from typing import Any
from uuid import UUID

from app.accounts.dependencies import CurrentUser
from app.database import Db
from app.jobs import queries
from app.jobs.models import JobProgress
from app.pages import NEVER_STORED
from app.templates import render
from core.requests import Request
from core.responses import JSONResponse, Response

# Without a script the browser asks again by itself; static/js/live-part.js is told when there is something to see.
SECONDS_BETWEEN_LOOKS = 2


async def progress(request: Request, user: CurrentUser, db: Db, progress_id: UUID) -> Response:
    """Show how far the work has come."""
    found = await queries.get_progress(db, user.id, progress_id)
    reload_seconds = None if found.is_over else SECONDS_BETWEEN_LOOKS
    return render(request, "jobs/progress.html", progress=found, reload_seconds=reload_seconds)


async def progress_as_json(user: CurrentUser, db: Db, progress_id: UUID) -> Response:
    """The same for programs and scripts."""
    found = await queries.get_progress(db, user.id, progress_id)
    return JSONResponse(_as_json(found), headers=NEVER_STORED)


def _as_json(progress: JobProgress) -> dict[str, Any]:  # Any: what JSON can say.
    names = ("title", "state", "done", "total", "result_path")
    return {"id": str(progress.id), **{name: getattr(progress, name) for name in names}}
