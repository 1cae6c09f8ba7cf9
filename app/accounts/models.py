"""People, their addresses, passwords and sessions, and the links mailed to them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Base, Identified, Timestamped

_FOLDED_ADDRESS = func.lower(text("address"))


LONGEST_NAME = 100
# Whose proofs count on the entry pages. Everything behind them is open to the active alone.
ENTERING = ("active", "deleting")


class Purpose(StrEnum):
    """What a mailed link is good for. A link works for its own purpose and no other."""

    VERIFY = "verify"
    RESET = "reset"
    LOG_IN = "log_in"
    CONFIRM = "confirm"


class User(Identified, Timestamped, Base):
    """A person. `is_staff` is set by the command line alone: no form has a field for it."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {LONGEST_NAME}", name="name_length"),
        CheckConstraint("status IN ('active', 'locked', 'deleting', 'deleted')", name="status"),
        CheckConstraint("theme IN ('system', 'light', 'dark')", name="theme"),
        CheckConstraint("(status = 'deleting') = (delete_at IS NOT NULL)", name="delete_at"),
        Index(None, "delete_at", postgresql_where=text("delete_at IS NOT NULL")),
    )

    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="active", server_default="active")
    # When an account that its owner has closed will be deleted; logging in before then keeps it (`revival`).
    delete_at: Mapped[datetime | None]
    is_staff: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # The organization whose pages were open last: where logging in leads.
    current_organization_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="SET NULL", use_alter=True)
    )

    # As a BCP 47 tag and as the tz database names it; None: as the browser says.
    locale: Mapped[str | None]
    time_zone: Mapped[str | None]
    theme: Mapped[str] = mapped_column(default="system", server_default="system")
    # Which version of the terms they accepted last; `Consent` has the proof. None: not asked yet.
    terms_version: Mapped[str | None]
    # Which picture is theirs (`profile.models.Avatar`); None: their initials.
    avatar_digest: Mapped[str | None]
    # Since when a password alone does not let this person in. Only the feature that keeps second factors sets it.
    second_factor_at: Mapped[datetime | None]

    primary_email: Mapped["Email | None"] = relationship(
        primaryjoin="and_(User.id == Email.user_id, Email.is_primary)", viewonly=True, uselist=False, lazy="raise"
    )

    @property
    def email(self) -> str:
        """The address that messages go to; empty while no address is verified. Needs `primary_email` to be loaded."""
        return self.primary_email.address if self.primary_email else ""


class Email(Identified, Timestamped, Base):
    """An address that somebody claims, and once verified, owns.

    Only verified addresses are unique: a claim that nobody proved must not keep the owner of the address out.
    """

    __tablename__ = "emails"
    __table_args__ = (
        Index(
            "uq_emails_verified",
            func.lower(text("address")),
            unique=True,
            postgresql_where=text("verified_at IS NOT NULL"),
        ),
        Index("uq_emails_primary", "user_id", unique=True, postgresql_where=text("is_primary")),
        Index("ix_emails_address", func.lower(text("address"))),
        Index("ix_emails_user_id", "user_id"),
        CheckConstraint("NOT is_primary OR verified_at IS NOT NULL", name="primary_is_verified"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    address: Mapped[str]
    verified_at: Mapped[datetime | None]
    is_primary: Mapped[bool] = mapped_column(default=False, server_default=text("false"))

    user: Mapped[User] = relationship(lazy="raise")


class Password(Base):
    """A person's password as argon2id keeps it, in a row of its own so that ordinary SELECTs never carry it."""

    __tablename__ = "passwords"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str]
    changed_at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"Password(user_id={self.user_id})"


class Session(Identified, Timestamped, Base):
    """A browser that is logged in. Its cookie's token is kept as a hash only."""

    __tablename__ = "sessions"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    idle_expires_at: Mapped[datetime]
    # When the person last proved who they are, and with what: sensitive actions ask for a recent proof.
    authenticated_at: Mapped[datetime]
    authentication_methods: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # Whether the cookie outlives the browser's window.
    is_remembered: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")

    def __repr__(self) -> str:
        return f"Session(id={self.id}, user_id={self.user_id})"


class LoginChallenge(Identified, Timestamped, Base):
    """Somebody who gave a first proof and still owes a second one: no session yet, so nothing but the challenge is open to them."""

    __tablename__ = "login_challenges"
    __table_args__ = ({"info": {"unrecorded": "Nobody is logged in yet; what the second proof leads to is recorded."}},)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # The first proof, such as "password".
    method: Mapped[str]
    next_path: Mapped[str]
    is_remembered: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped[User] = relationship(lazy="raise")

    def __repr__(self) -> str:
        return f"LoginChallenge(id={self.id}, user_id={self.user_id})"


class Consent(Identified, Timestamped, Base):
    """That a person accepted a version of a policy. Rows are added and never changed."""

    __tablename__ = "consents"
    __table_args__ = (Index(None, "user_id"), {"info": {"privileges": ("SELECT", "INSERT")}})

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    policy: Mapped[str]
    version: Mapped[str]
    ip: Mapped[str | None]


class KnownDevice(Identified, Timestamped, Base):
    """A browser in which a person has logged in before; while it is trusted, it stands for their second factor."""

    __tablename__ = "known_devices"
    __table_args__ = (UniqueConstraint("user_id", "token_hash"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    last_seen_at: Mapped[datetime]
    trusted_until: Mapped[datetime | None]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]

    def __repr__(self) -> str:
        return f"KnownDevice(id={self.id}, user_id={self.user_id})"


class OneTimeToken(Identified, Timestamped, Base):
    """A link that was mailed: good once, for one purpose, for one address, until it expires.

    Some messages carry a short code as well. It works in the browser that asked for it alone, and a few wrong codes end it.
    """

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        CheckConstraint("purpose IN ('verify', 'reset', 'log_in', 'confirm')", name="purpose"),
        {"info": {"unrecorded": "What a mailed link or code was good for is recorded when it is used."}},
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    purpose: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    email_id: Mapped[UUID] = mapped_column(ForeignKey("emails.id", ondelete="CASCADE"), index=True)
    sent_to: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    browser_hash: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))

    def __repr__(self) -> str:
        return f"OneTimeToken(id={self.id}, purpose={self.purpose!r})"
