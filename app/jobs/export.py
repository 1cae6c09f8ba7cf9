"""What this feature hands over of a person's data: the work they waited for."""

from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.exporting import Rows, rows_of
from app.jobs.models import JobProgress


class Person(Protocol):
    """All that this feature, which knows nothing of accounts, needs to know of somebody."""

    @property
    def id(self) -> UUID: ...


async def export_person(db: AsyncSession, user: Person) -> Rows:
    return {"progress": await rows_of(db, JobProgress.user_id, user.id)}
