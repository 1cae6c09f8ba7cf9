"""Work that goes on after the answer, for programs."""

from uuid import UUID

from app.database import Db
from app.jobs import queries
from app.jobs.documents import JobOut, shown
from app.tokens.dependencies import CurrentCredential


async def show_job(who: CurrentCredential, db: Db, job_id: UUID) -> JobOut:
    """Show how far work has come.

    The person who asked for it sees it, by any token, for thirty days.
    """
    return shown(await queries.get_progress(db, who.user.id, job_id))
