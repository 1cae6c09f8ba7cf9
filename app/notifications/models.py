"""Notifications, and which of them a person wants where."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.database import Base, Identified, Timestamped


class Channel(StrEnum):
    """Where a person is told: on the pages, by a message of its own, or by the day's one message."""

    IN_APP = "in_app"
    EMAIL = "email"
    DIGEST = "digest"


class Notification(Identified, Timestamped, Base):
    """Something that a person should know. It belongs to them, also where it is about an organization: hence the name of that column.

    While it is unread, more of the same (`group_key`) adds to its `count` instead of a row.
    """

    __tablename__ = "notifications"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    about_organization_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]
    # What the kind's sentence names, as it was called then.
    data: Mapped[dict[str, Any]]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    group_key: Mapped[str | None]
    count: Mapped[int] = mapped_column(default=1, server_default="1")
    seen_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    emailed_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise")

    __table_args__ = (
        Index(None, "user_id", "created_at", "id"),
        Index("ix_notifications_unread", "user_id", "created_at", postgresql_where=text("read_at IS NULL")),
        Index(
            "uq_notifications_group",
            "user_id",
            "group_key",
            unique=True,
            postgresql_where=text("read_at IS NULL AND group_key IS NOT NULL"),
        ),
        {
            "info": {
                "unrecorded": "What somebody is told follows from what is recorded, and reading it is theirs alone."
            }
        },
    )


class NotificationPreference(Base):
    """That a person wants a kind of notification in a channel, or not; without a row it is as the kind says."""

    __tablename__ = "notification_preferences"
    __table_args__ = (CheckConstraint("channel IN ('in_app', 'email', 'digest')", name="channel"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
