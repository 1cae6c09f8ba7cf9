"""Invitations, and the two other doors into an organization."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import clock
from app.accounts.models import User
from app.database import Base, Identified, Tenant, Timestamped
from app.organizations.models import Organization, RoleHolder, role_constraints
from app.policy import Role

LONGEST_MESSAGE = 1000
_FOLDED_ADDRESS = func.lower(text("address"))


class InvitationState(StrEnum):
    OPEN = "open"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"


class Invitation(RoleHolder, Identified, Tenant, Timestamped, Base):
    """That somebody may become a member. Organization and address are fixed when it is made; its token is kept hashed.

    So is the role, unless the organization deletes it and says which one takes its place.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        *role_constraints(),
        CheckConstraint(f"char_length(message) <= {LONGEST_MESSAGE}", name="message_length"),
        Index(
            "uq_invitations_open",
            "organization_id",
            _FOLDED_ADDRESS,
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL"),
        ),
        Index(None, "organization_id", "created_at", "id"),
        Index("ix_invitations_address", _FOLDED_ADDRESS),
    )

    address: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    message: Mapped[str | None]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    declined_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    sent_count: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    last_sent_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship(lazy="raise")
    inviter: Mapped[User | None] = relationship(foreign_keys=[invited_by], lazy="raise")

    @property
    def state(self) -> InvitationState:
        """How far it has come."""
        if self.accepted_at:
            return InvitationState.ACCEPTED
        if self.declined_at:
            return InvitationState.DECLINED
        if self.revoked_at:
            return InvitationState.REVOKED
        return InvitationState.OPEN if self.expires_at > clock.now() else InvitationState.EXPIRED

    def __repr__(self) -> str:
        return f"Invitation(id={self.id})"


class JoinLink(RoleHolder, Identified, Tenant, Timestamped, Base):
    """A link by which people become members, until it expires, is used up or revoked. Its code is kept hashed."""

    __tablename__ = "join_links"
    __table_args__ = (
        *role_constraints(),
        CheckConstraint("max_uses > 0 AND uses <= max_uses", name="uses"),
        Index(None, "organization_id"),
    )

    role: Mapped[str] = mapped_column(server_default=Role.MEMBER)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    # The last characters of the code, to tell links apart.
    ending: Mapped[str]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    # At which domain somebody needs a verified address to use it; None: anywhere.
    domain: Mapped[str | None]
    max_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship(lazy="raise")

    def __repr__(self) -> str:
        return f"JoinLink(id={self.id})"


class JoinDomain(RoleHolder, Tenant, Timestamped, Base):
    """A domain whose people find the organization: they may join at once, or where it `asks`, ask to."""

    __tablename__ = "join_domains"
    __table_args__ = (*role_constraints(), CheckConstraint("domain = lower(domain)", name="domain"))

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )
    domain: Mapped[str] = mapped_column(primary_key=True, sort_order=-1, index=True)
    role: Mapped[str] = mapped_column(server_default=Role.MEMBER)
    asks: Mapped[bool]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    organization: Mapped[Organization] = relationship(lazy="raise")


class JoinRequest(Tenant, Timestamped, Base):
    """That somebody whose address is at a domain of the organization asks to become a member."""

    __tablename__ = "join_requests"

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, sort_order=-1, index=True
    )
    address: Mapped[str]

    user: Mapped[User] = relationship(lazy="raise")
