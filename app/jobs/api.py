"""Work that goes on after the answer, for programs."""

from typing import Annotated
from uuid import UUID

from app.database import Db
from app.jobs import queries
from app.jobs.documents import JobOut, shown
from app.tokens.dependencies import Holding
from app.tokens.models import Credential
from app.tokens.scopes import ACCOUNT


async def show_job(who: Annotated[Credential, Holding(ACCOUNT)], db: Db, job_id: UUID) -> JobOut:
    """Show how far work has come.

    The person who asked for it sees it, by a session or any token with `account:read`, for thirty days.
    """
    return shown(await queries.get_progress(db, who.user.id, job_id))
