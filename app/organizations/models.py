"""Organizations, their members, and the scope in which a member acts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import clock, policy
from app.accounts.models import Session, User
from app.database import Base, Identified, Tenant, Timestamped
from app.policy import Role
from app.tokens.models import Credential, PersonalToken
from app.tokens.scopes import scope_for

SLUG_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
LONGEST_SLUG = 40
LONGEST_NAME = 100


class OrganizationKind(StrEnum):
    """Everybody has a personal organization from the start; a team's belongs to nobody alone."""

    PERSONAL = "personal"
    TEAM = "team"


class MembershipStatus(StrEnum):
    """A suspended member keeps their place and may do nothing."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class Organization(Identified, Timestamped, Base):
    """Whom data belongs to. Everybody has a personal one from the start."""

    __tablename__ = "organizations"
    __table_args__ = (
        CheckConstraint(f"slug ~ '{SLUG_PATTERN}' AND char_length(slug) <= {LONGEST_SLUG}", name="slug"),
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {LONGEST_NAME}", name="name_length"),
        CheckConstraint("kind IN ('personal', 'team')", name="kind"),
        CheckConstraint("status IN ('active', 'suspended', 'deleting')", name="status"),
        Index("uq_organizations_personal", "created_by", unique=True, postgresql_where=text("kind = 'personal'")),
    )

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default="active", server_default="active")
    # Until somebody has chosen a name, the organization carries its founder's.
    named_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class Membership(Tenant, Base):
    """A person's place in an organization. The database refuses to let an organization lose its last active owner."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'admin', 'member')", name="role"),
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
    )

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, sort_order=-1, index=True
    )
    role: Mapped[str]
    status: Mapped[str] = mapped_column(default=MembershipStatus.ACTIVE, server_default=MembershipStatus.ACTIVE)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)

    organization: Mapped[Organization] = relationship(lazy="raise")
    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise")


class FormerSlug(Tenant, Timestamped, Base):
    """An address that an organization had before. Links to it lead to the new one, and nobody else can take it."""

    __tablename__ = "slug_history"

    slug: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)


@dataclass(frozen=True)
class Scope:
    """Who acts, for which organization, as what. Only `app.organizations.dependencies` makes one, after checking all of it.

    Queries and actions on an organization's data take the scope first, so that no caller can forget whose data it is.
    """

    user: User
    organization: Organization
    membership: Membership
    request_id: str
    # Which of the two the request showed: a browser's session, or a program's token.
    session: Session | None = None
    token: PersonalToken | None = None

    @property
    def role(self) -> Role:
        return Role(self.membership.role)

    @property
    def credential(self) -> Credential:
        return Credential(self.user, self.session, self.token)

    def allows(self, permission: str) -> bool:
        """Whether this member's role holds a permission of `app.policy`, and the token, if there is one, covers it."""
        is_covered = self.token is None or self.token.has_scope(scope_for(permission))
        return is_covered and policy.allows(self.role, permission)
