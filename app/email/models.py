"""The messages that the product sends."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Identified, Timestamped


class EmailStatus(StrEnum):
    """Where a message is. `sending` lasts while the provider is asked; what became of it may be unknown after a crash."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


UNDELIVERED = frozenset({EmailStatus.QUEUED, EmailStatus.SENDING})


class EmailMessage(Identified, Timestamped, Base):
    """One message to one address, written in the transaction that causes it.

    Its body may hold a secret link, so it is erased once a real provider has taken it, or refused it for good.
    """

    __tablename__ = "email_messages"

    to_address: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    template: Mapped[str]
    locale: Mapped[str]
    dedup_key: Mapped[str | None] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(default=EmailStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("status IN ('queued', 'sending', 'sent', 'failed')", name="status"),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
        Index(None, "created_at"),
        Index(None, "to_address", "created_at"),
    )

    @property
    def is_undelivered(self) -> bool:
        return self.status in UNDELIVERED
