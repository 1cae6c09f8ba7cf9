"""The messages that the product sends."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy import text as text_clause
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Identified, Timestamped


class EmailStatus(StrEnum):
    """Where a message is.

    `sending` lasts while a provider is asked, and as long as nobody knows what became of it. `unclear` is what stays so: the
    provider cannot tell whether it took the message, and a person decides. `withheld` was not offered to anybody, because the
    address is suppressed or its owner has unsubscribed.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCLEAR = "unclear"
    WITHHELD = "withheld"


class Outcome(StrEnum):
    """What the provider has told of a message that it took."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


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
    # Where its receiver can unsubscribe from messages of this kind; None: it is sent whether they like it or not.
    unsubscribe_url: Mapped[str | None]
    subscription_id: Mapped[UUID | None] = mapped_column(ForeignKey("email_subscriptions.id", ondelete="SET NULL"))
    outcome: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("status IN ('queued', 'sending', 'sent', 'failed', 'unclear', 'withheld')", name="status"),
        CheckConstraint("outcome IN ('delivered', 'bounced', 'complained')", name="outcome"),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
        Index(None, "created_at"),
        Index(None, "to_address", "created_at"),
        Index(None, "status", "created_at"),
        Index(None, "subscription_id", postgresql_where=text_clause("subscription_id IS NOT NULL")),
        Index(None, "provider", "provider_id", postgresql_where=text_clause("provider_id IS NOT NULL")),
        {
            "info": {
                "unrecorded": "What is mailed follows from what is recorded, and each message keeps its own history."
            }
        },
    )

    @property
    def is_undelivered(self) -> bool:
        return self.status in UNDELIVERED

    @property
    def can_be_sent_again(self) -> bool:
        """Given up or unclear, and its body is still there."""
        return self.status in (EmailStatus.FAILED, EmailStatus.UNCLEAR) and bool(self.text)

    @property
    def list_headers(self) -> dict[str, str]:
        """The headers by which mail programs unsubscribe at once (RFC 2369, RFC 8058)."""
        if not self.unsubscribe_url:
            return {}
        return {
            "List-Unsubscribe": f"<{self.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }


class SuppressionReason(StrEnum):
    """Why nothing is sent to an address any more. Passing troubles are no reason."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class Suppression(Identified, Timestamped, Base):
    """An address to which nothing is sent until a member of the staff releases it."""

    __tablename__ = "suppressions"
    __table_args__ = (
        CheckConstraint("reason IN ('bounce', 'complaint')", name="reason"),
        Index(
            "uq_suppressions_address",
            func.lower(text_clause("address")),
            unique=True,
            postgresql_where=text_clause("released_at IS NULL"),
        ),
        Index(None, "created_at"),
    )

    address: Mapped[str]
    reason: Mapped[str]
    provider: Mapped[str]
    # What the other server said, as the provider tells it.
    detail: Mapped[str]
    released_at: Mapped[datetime | None]


class Subscription(Identified, Timestamped, Base):
    """That an address gets messages of one kind, until its owner unsubscribes. Made with the first such message."""

    __tablename__ = "email_subscriptions"
    __table_args__ = (
        Index("uq_email_subscriptions_address_kind", func.lower(text_clause("address")), "kind", unique=True),
        {"info": {"unrecorded": "Whoever holds the link of a message is no person that we know; the row says when."}},
    )

    address: Mapped[str]
    kind: Mapped[str]
    unsubscribed_at: Mapped[datetime | None]
