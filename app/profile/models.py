"""Pictures of people."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.pictures import Picture, picture_constraint


class Avatar(Picture, Base):
    """A person's picture, re-encoded. `User.avatar_digest` says which one it is, so that no page needs this table."""

    __tablename__ = "avatars"
    __table_args__ = (picture_constraint(),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)

    def __repr__(self) -> str:
        return f"Avatar(user_id={self.user_id})"
