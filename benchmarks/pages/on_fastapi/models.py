"""The tables that the pages read, as SQLAlchemy's users declare them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 - as SQLAlchemy's documentation writes it
        str: Text(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB(),
        list[str]: ARRAY(Text),
        bytes: LargeBinary(),
    }


class User(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    status: Mapped[str]
    is_staff: Mapped[bool]
    locale: Mapped[str | None]
    time_zone: Mapped[str | None]
    theme: Mapped[str]
    terms_version: Mapped[str | None]
    avatar_digest: Mapped[str | None]
    second_factor_at: Mapped[datetime | None]

    primary_email: Mapped["Email | None"] = relationship(
        primaryjoin="and_(User.id == Email.user_id, Email.is_primary)", viewonly=True, uselist=False, lazy="raise"
    )

    @property
    def email(self) -> str:
        return self.primary_email.address if self.primary_email else ""


class Email(Base):
    __tablename__ = "emails"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    address: Mapped[str]
    is_primary: Mapped[bool]
    verified_at: Mapped[datetime | None]


class Session(Base):
    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    token_hash: Mapped[bytes]
    expires_at: Mapped[datetime]
    idle_expires_at: Mapped[datetime]
    authenticated_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Organization(Base):
    __tablename__ = "organizations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    second_factor_from: Mapped[datetime | None]
    session_hours: Mapped[int | None]

    @property
    def demands_second_factor(self) -> bool:
        return self.second_factor_from is not None and self.second_factor_from <= datetime.now(UTC)


class CustomRole(Base):
    __tablename__ = "roles"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    key: Mapped[str]
    name: Mapped[str]
    permissions: Mapped[list[str]]


class Membership(Base):
    __tablename__ = "memberships"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str]
    custom_role_id: Mapped[UUID | None] = mapped_column(ForeignKey("roles.id"))
    status: Mapped[str]
    joined_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship(lazy="raise")
    user: Mapped[User] = relationship(lazy="raise")
    custom_role: Mapped[CustomRole | None] = relationship(lazy="raise")


class Invitation(Base):
    __tablename__ = "invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    address: Mapped[str]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Notification(Base):
    __tablename__ = "notifications"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    read_at: Mapped[datetime | None]


class RealtimeEvent(Base):
    __tablename__ = "realtime_events"

    id: Mapped[int] = mapped_column(primary_key=True)


class AuditEvent(Base):
    __tablename__ = "audit_events"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID | None]
    action: Mapped[str]
    actor_label: Mapped[str | None]
    target_label: Mapped[str | None]
    changes: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
