"""Files of organizations: what is known about each, and how much of its room an organization has used."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.database import Base, Identified, Tenant, Timestamped

LONGEST_FILENAME = 200
UNDO_WINDOW = timedelta(days=7)
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})


class FileState(StrEnum):
    """A file is pending until its bytes are kept. A quarantined one is listed and never handed out."""

    PENDING = "pending"
    READY = "ready"
    QUARANTINED = "quarantined"
    DELETED = "deleted"


class File(Identified, Tenant, Timestamped, Base):
    """One file. Its bytes are in `storage` under `key`, which is random: nothing that anybody typed is part of a path.

    A trigger keeps `file_usage` and, when the row goes, notes in `file_removals` that the bytes have to go as well.
    """

    __tablename__ = "files"
    __table_args__ = (
        UniqueConstraint("storage", "key"),
        # What another table's composite foreign key refers to, so that it cannot name another organization's file.
        UniqueConstraint("organization_id", "id"),
        CheckConstraint("state IN ('pending', 'ready', 'quarantined', 'deleted')", name="state"),
        CheckConstraint("(state = 'deleted') = (deleted_at IS NOT NULL)", name="deleted_at"),
        CheckConstraint(f"char_length(filename) BETWEEN 1 AND {LONGEST_FILENAME}", name="filename"),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "created_at", postgresql_where=text("state = 'pending'")),
        Index(None, "deleted_at", postgresql_where=text("state = 'deleted'")),
    )

    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    storage: Mapped[str]
    key: Mapped[str]
    filename: Mapped[str]
    # Found in the content, not said by whoever sent it.
    content_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    state: Mapped[str] = mapped_column(default=FileState.PENDING)
    purpose: Mapped[str] = mapped_column(default="attachment")
    deleted_at: Mapped[datetime | None]

    uploader: Mapped[User | None] = relationship(lazy="raise")

    @property
    def is_image(self) -> bool:
        """Whether it was decoded and encoded anew by us, so that a browser may show it."""
        return self.content_type in IMAGE_TYPES

    @property
    def can_be_downloaded(self) -> bool:
        return self.state == FileState.READY

    @property
    def erased_at(self) -> datetime | None:
        """When a deleted file is gone for good."""
        return self.deleted_at + UNDO_WINDOW if self.deleted_at else None


class FileUsage(Tenant, Base):
    """How many bytes and files an organization has, kept by a trigger; deleted ones count until they are erased."""

    __tablename__ = "file_usage"
    __table_args__ = (
        CheckConstraint("size >= 0 AND files >= 0", name="sums"),
        {"info": {"unrecorded": "A sum of rows whose changes are recorded."}},
    )

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-1
    )
    size: Mapped[int] = mapped_column(BigInteger)
    files: Mapped[int] = mapped_column(BigInteger)


class FileRemoval(Base):
    """Bytes in a storage that belong to no row any more, whatever deleted it: a sweep, or the end of an organization."""

    __tablename__ = "file_removals"
    __table_args__ = ({"info": {"unrecorded": "What a storage has yet to throw away follows from what was deleted."}},)

    storage: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
