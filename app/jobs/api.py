"""Work that goes on after the answer, for programs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.database import Db
from app.jobs import queries
from app.jobs.models import JobProgress, ProgressState
from app.language import gettext as _
from app.tokens.dependencies import CurrentCredential


class JobOut(BaseModel):
    """Work that a person waits for."""

    id: UUID
    title: Annotated[str, Field(examples=["Importing projects"])]
    state: Annotated[ProgressState, Field(description="`done` and `failed` are the end.")]
    done: Annotated[int, Field(description="How many parts are done.", ge=0)]
    total: Annotated[int | None, Field(description="Of how many; null while nobody knows.", ge=0)]
    reason: Annotated[str | None, Field(description="Why it failed, where the product said no.")]
    result_path: Annotated[str | None, Field(description="The page of this site on which the result is.")]
    created_at: datetime


async def show_job(who: CurrentCredential, db: Db, job_id: UUID) -> JobOut:
    """Show how far work has come.

    The person who asked for it sees it, by any token, for thirty days.
    """
    return shown(await queries.get_progress(db, who.user.id, job_id))


def shown(progress: JobProgress) -> JobOut:
    """Work as programs see it."""
    return JobOut(
        id=progress.id,
        title=progress.title,
        state=ProgressState(progress.state),
        done=progress.done,
        total=progress.total,
        reason=_(progress.reason) if progress.reason else None,
        result_path=progress.result_path,
        created_at=progress.created_at,
    )
