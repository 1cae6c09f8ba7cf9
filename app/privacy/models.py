"""Copies of a person's data that they asked for."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from app import clock
from app.database import Base, Identified, Timestamped


class ExportState(StrEnum):
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


class DataExport(Identified, Timestamped, Base):
    """A copy of a person's data. Its content is loaded only to be downloaded, and erased when it expires."""

    __tablename__ = "data_exports"
    __table_args__ = (
        CheckConstraint("state IN ('building', 'ready', 'failed', 'expired')", name="state"),
        CheckConstraint("(state = 'ready') = (content IS NOT NULL)", name="content"),
        Index("uq_data_exports_building", "user_id", unique=True, postgresql_where=text("state = 'building'")),
        Index(None, "user_id", "created_at"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default=ExportState.BUILDING)
    size: Mapped[int | None]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))

    @property
    def shown_state(self) -> ExportState:
        """The state as people see it: what has expired is expired, also before the worker has erased it."""
        if self.state == ExportState.READY and self.expires_at and self.expires_at <= clock.now():
            return ExportState.EXPIRED
        return ExportState(self.state)

    def __repr__(self) -> str:
        return f"DataExport(id={self.id}, state={self.state!r})"
