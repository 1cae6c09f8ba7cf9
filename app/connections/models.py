"""Accounts elsewhere that stand for a person here, and log-ins with them that are under way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.database import Base, Identified, Timestamped


class Identity(Identified, Timestamped, Base):
    """An account at a provider. Who it is, is told by issuer and subject: addresses and names there change hands."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("user_id", "provider"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[str]
    issuer: Mapped[str]
    subject: Mapped[str]
    # As the provider told it last; shown, never looked up.
    email: Mapped[str | None]
    last_used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")


class OauthState(Identified, Timestamped, Base):
    """A person who was sent to a provider and is expected back: from that provider, in that browser, once."""

    __tablename__ = "oauth_states"
    __table_args__ = (
        {"info": {"unrecorded": "Somebody has set out to a provider; what they come back with is recorded."}},
    )

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    provider: Mapped[str]
    code_verifier: Mapped[str]
    nonce: Mapped[str]
    next_path: Mapped[str]
    # Who wants to connect the account; nobody if it is for logging in.
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    def __repr__(self) -> str:
        return f"OauthState(id={self.id}, provider={self.provider!r})"
