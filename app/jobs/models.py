"""How far long work has come, for the person who waits for it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Identified, Timestamped


class ProgressState(StrEnum):
    """`failed` is the end: while the job will be tried again, its work is `waiting`."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobProgress(Identified, Timestamped, Base):
    """One piece of work that a person waits for. `total` is None while nobody knows how much there is to do."""

    __tablename__ = "job_progress"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
        CheckConstraint("done >= 0 AND (total IS NULL OR done <= total)", name="done"),
        Index(None, "user_id", "created_at"),
        Index(None, "updated_at"),
        {"info": {"unrecorded": "How far work has come follows from what began it."}},
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # In the person's language: the worker speaks none in particular.
    title: Mapped[str]
    state: Mapped[str] = mapped_column(default=ProgressState.WAITING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    # Where the result is, and where the person came from: a path of this site.
    result_path: Mapped[str | None]
    # Why it failed where the product said no: a refusal's message, translated where it is shown.
    reason: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def is_over(self) -> bool:
        return self.state in (ProgressState.DONE, ProgressState.FAILED)
