"""Pictures of people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class Avatar(Base):
    """A person's picture, re-encoded. `User.avatar_digest` says which one it is, so that no page needs this table."""

    __tablename__ = "avatars"
    __table_args__ = (CheckConstraint("octet_length(content) <= 65536", name="content"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str]
    content_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"Avatar(user_id={self.user_id})"
