"""Who waits for a place."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Identified, Timestamped


class WaitlistEntry(Identified, Timestamped, Base):
    """An address that somebody left. It is told nothing about until its turn comes, so nothing proves whose it is."""

    __tablename__ = "waitlist"
    __table_args__ = (
        Index("uq_waitlist_address", func.lower(text("address")), unique=True),
        {"info": {"unrecorded": "An address that waits is nobody's account yet."}},
    )

    address: Mapped[str]
    invited_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)

    def __repr__(self) -> str:
        return f"WaitlistEntry(id={self.id})"
