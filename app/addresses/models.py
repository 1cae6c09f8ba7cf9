"""The links that are mailed about a person's addresses."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Identified, Timestamped


class LinkKind(StrEnum):
    """What a link does: prove an address, prove it and make it the primary one, or take such a change back."""

    ADD = "add"
    CHANGE = "change"
    UNDO = "undo"


class AddressLink(Identified, Timestamped, Base):
    """A link that was mailed about an address: good once, for one person, until it expires.

    Addresses are copied, because the link that takes a change back must outlive the row of the address it gives back.
    """

    __tablename__ = "address_links"
    __table_args__ = (
        CheckConstraint("kind IN ('add', 'change', 'undo')", name="kind"),
        CheckConstraint("(kind = 'undo') = (previous_address IS NOT NULL)", name="previous_address"),
        Index(None, "user_id"),
        Index(None, "expires_at"),
        {"info": {"unrecorded": "What a mailed link was good for is recorded when it is used."}},
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    kind: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    address: Mapped[str]
    previous_address: Mapped[str | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        return f"AddressLink(id={self.id}, kind={self.kind!r})"
