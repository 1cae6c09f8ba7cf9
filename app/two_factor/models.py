"""What a person holds besides a password: an authenticator app, recovery codes, passkeys; and that all of them are lost."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import clock
from app.accounts.models import User
from app.database import Base, Identified, Timestamped

LONGEST_PASSKEY_NAME = 60


class Totp(Identified, Timestamped, Base):
    """An authenticator app (RFC 6238), one for a person. Its secret is encrypted for this row (`app.encryption`)."""

    __tablename__ = "totp"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    # Until the person has entered a first code from it, the app is no factor.
    confirmed_at: Mapped[datetime | None]
    # The time step of the newest code that was accepted: that one and older ones never work again.
    last_used_step: Mapped[int | None] = mapped_column(BigInteger)

    def __repr__(self) -> str:
        return f"Totp(id={self.id}, user_id={self.user_id})"


class RecoveryCode(Identified, Timestamped, Base):
    """A code for the day when the phone is lost: good once, and burned rather than deleted."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        return f"RecoveryCode(id={self.id}, user_id={self.user_id})"


class Passkey(Identified, Timestamped, Base):
    """A WebAuthn credential: what it signs can be checked with its public key, and no two people share one."""

    __tablename__ = "passkeys"
    __table_args__ = (
        Index("uq_passkeys_name", "user_id", func.lower(text("name")), unique=True),
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {LONGEST_PASSKEY_NAME}", name="name_length"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # The model of the authenticator, as it says itself; all zeros where it prefers not to say.
    aaguid: Mapped[str]
    name: Mapped[str]
    # Whether a password manager keeps it on several devices.
    backed_up: Mapped[bool]
    last_used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")

    def __repr__(self) -> str:
        return f"Passkey(id={self.id}, user_id={self.user_id}, name={self.name!r})"


class Outcome(StrEnum):
    """How a request to remove lost factors ended."""

    STOPPED = "stopped"  # Somebody used the link in one of its messages.
    CANCELLED = "cancelled"  # Somebody proved a second factor, so none is lost.
    FINISHED = "finished"
    EXPIRED = "expired"


class LostAccess(Identified, Timestamped, Base):
    """That somebody lost all their second factors and asked for them to be removed, which is done after a waiting period."""

    __tablename__ = "lost_access_requests"
    __table_args__ = (
        CheckConstraint("outcome IN ('stopped', 'cancelled', 'finished', 'expired')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="closed_at"),
        Index("uq_lost_access_requests_open", "user_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index(None, "user_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # From when on the factors can be removed.
    ready_at: Mapped[datetime]
    # When the person was last written to about it.
    told_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]

    user: Mapped[User] = relationship(lazy="raise")

    @property
    def is_ready(self) -> bool:
        return self.ready_at <= clock.now()

    def __repr__(self) -> str:
        return f"LostAccess(id={self.id}, user_id={self.user_id}, outcome={self.outcome!r})"


class UsedPasskeyChallenge(Base):
    """A challenge that has been answered. It stays here for as long as its signature is fresh, so that it works once."""

    __tablename__ = "used_passkey_challenges"
    __table_args__ = ({"info": {"unrecorded": "What the answer to a challenge was good for is recorded."}},)

    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
