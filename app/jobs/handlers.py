"""The page on which somebody waits for their work."""

from uuid import UUID

from app.accounts.dependencies import CurrentUser
from app.database import Db
from app.jobs import queries
from app.templates import render
from core.requests import Request
from core.responses import Response

# Without a script the browser asks again by itself; static/js/live-part.js is told when there is something to see.
SECONDS_BETWEEN_LOOKS = 2


async def progress(request: Request, user: CurrentUser, db: Db, progress_id: UUID) -> Response:
    """Show how far the work has come."""
    found = await queries.get_progress(db, user.id, progress_id)
    reload_seconds = None if found.is_over else SECONDS_BETWEEN_LOOKS
    return render(request, "jobs/progress.html", progress=found, reload_seconds=reload_seconds)
