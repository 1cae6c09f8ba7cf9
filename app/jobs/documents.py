"""Work that goes on after the answer, as programs see it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.jobs.models import JobProgress, ProgressState
from app.language import gettext as _


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
