"""Organizations, their members, and the scope in which a member acts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app import clock, policy
from app.accounts.models import Session, User
from app.database import Base, Identified, Tenant, Timestamped
from app.pictures import Picture, picture_constraint
from app.policy import Role
from app.tokens.models import Credential, PersonalToken
from app.tokens.scopes import scope_for

SLUG_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
LONGEST_SLUG = 40
LONGEST_NAME = 100
LONGEST_ROLE_NAME = 60
LONGEST_SESSION_HOURS = 336  # Two weeks: a session that nobody uses ends by then anyway.


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
        CheckConstraint("(status = 'deleting') = (delete_at IS NOT NULL)", name="delete_at"),
        CheckConstraint(f"session_hours BETWEEN 1 AND {LONGEST_SESSION_HOURS}", name="session_hours"),
        Index("uq_organizations_personal", "created_by", unique=True, postgresql_where=text("kind = 'personal'")),
        Index(None, "delete_at", postgresql_where=text("delete_at IS NOT NULL")),
    )

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default="active", server_default="active")
    # Until somebody has chosen a name, the organization carries its founder's.
    named_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    logo_digest: Mapped[str | None]
    # What its messages speak to somebody who has chosen no language, and whose times its pages show to somebody without a zone.
    locale: Mapped[str | None]
    time_zone: Mapped[str | None]
    # When an organization that its owner has closed will be erased; until then an owner may keep it.
    delete_at: Mapped[datetime | None]

    # From when on members without a second factor get no further than the page that says so. None: nobody needs one.
    second_factor_from: Mapped[datetime | None]
    # How many hours after they proved who they are members are asked again. None: as long as a session lasts.
    session_hours: Mapped[int | None]
    # At which domains somebody needs a verified address to become a member. Empty: any.
    allowed_domains: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")

    @property
    def demands_second_factor(self) -> bool:
        """Whether the time is over in which members could come without a second factor."""
        return self.second_factor_from is not None and self.second_factor_from <= clock.now()

    def is_personal_of(self, user: User) -> bool:
        """Whether it goes with this person's account: they can neither leave it nor give it away."""
        return self.kind == OrganizationKind.PERSONAL and self.created_by == user.id

    def admits(self, address: str) -> bool:
        """Whether somebody with this verified address may become a member."""
        return not self.allowed_domains or address.rpartition("@")[2].lower() in self.allowed_domains


class CustomRole(Identified, Tenant, Timestamped, Base):
    """A role that an organization made for itself, out of the permissions of `app.policy`. `key` is what programs call it."""

    __tablename__ = "roles"
    __table_args__ = (
        CheckConstraint(f"key ~ '{SLUG_PATTERN}' AND char_length(key) <= {LONGEST_ROLE_NAME}", name="key"),
        CheckConstraint("key NOT IN ('owner', 'admin', 'member')", name="key_built_in"),
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {LONGEST_ROLE_NAME}", name="name_length"),
        UniqueConstraint("organization_id", "id"),
        UniqueConstraint("organization_id", "key"),
        Index("uq_roles_name", "organization_id", func.lower(text("name")), unique=True),
    )

    key: Mapped[str]
    name: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


def role_constraints() -> tuple[CheckConstraint | ForeignKeyConstraint | Index, ...]:
    """What a table of role holders needs: only known roles, and only those of the same organization."""
    return (
        CheckConstraint("role IN ('owner', 'admin', 'member')", name="role"),
        CheckConstraint("custom_role_id IS NULL OR role = 'member'", name="custom_role"),
        ForeignKeyConstraint(["organization_id", "custom_role_id"], ["roles.organization_id", "roles.id"]),
        Index(None, "organization_id", "custom_role_id", postgresql_where=text("custom_role_id IS NOT NULL")),
    )


class RoleHolder:
    """What has a role: a member, and whatever will make somebody one. Its table takes the `role_constraints`."""

    role: Mapped[str]
    # A role of the organization's own, which then says alone what is allowed. It stands where "member" would.
    custom_role_id: Mapped[UUID | None]

    @declared_attr
    @classmethod
    def custom_role(cls) -> Mapped[CustomRole | None]:
        # Loaded along with every holder: what somebody may do must never be unknown.
        own = f"foreign({cls.__name__}.custom_role_id) == CustomRole.id"
        return relationship(CustomRole, primaryjoin=own, viewonly=True, lazy="joined")

    @property
    def permissions(self) -> frozenset[str]:
        """All that the role allows; one of the organization's own that cannot be seen allows as little as there is."""
        if self.custom_role_id is None:
            return policy.permissions_of(self.role)
        return policy.known(self.custom_role.permissions if self.custom_role else ())


class Membership(RoleHolder, Tenant, Base):
    """A person's place in an organization. The database refuses to let an organization lose its last active owner."""

    __tablename__ = "memberships"
    __table_args__ = (
        *role_constraints(),
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
        Index(None, "organization_id", "joined_at", "user_id"),
    )

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, sort_order=-1, index=True
    )
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


class Logo(Picture, Tenant, Base):
    """An organization's picture. `Organization.logo_digest` says which one it is."""

    __tablename__ = "organization_logos"
    __table_args__ = (picture_constraint(),)

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )


class OwnershipOffer(Identified, Tenant, Timestamped, Base):
    """That an owner wants a member to own the organization. At most one is open; it goes when either of them does."""

    __tablename__ = "ownership_offers"
    __table_args__ = (
        *(
            ForeignKeyConstraint(
                ["organization_id", name],
                ["memberships.organization_id", "memberships.user_id"],
                ondelete="CASCADE",
                name=f"fk_ownership_offers_organization_id_{name}_memberships",
            )
            for name in ("from_user_id", "to_user_id")
        ),
        CheckConstraint("from_user_id <> to_user_id", name="people"),
        Index(
            "uq_ownership_offers_open",
            "organization_id",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND declined_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    from_user_id: Mapped[UUID]
    to_user_id: Mapped[UUID]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    giver: Mapped[User] = relationship(
        primaryjoin="foreign(OwnershipOffer.from_user_id) == User.id", viewonly=True, lazy="raise"
    )
    receiver: Mapped[User] = relationship(
        primaryjoin="foreign(OwnershipOffer.to_user_id) == User.id", viewonly=True, lazy="raise"
    )


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
        """Whether this member's role holds a permission of `app.policy`, and the token, if there is one, covers it.

        Raises KeyError for a permission that the table does not have.
        """
        if permission not in policy.PERMISSIONS:
            raise KeyError(permission)
        return self.credential.has_scope(scope_for(permission)) and permission in self.membership.permissions
