"""The projects of an organization."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import clock
from app.accounts.models import User
from app.database import Base, Identified, Tenant, Timestamped

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 2000


class ProjectStatus(StrEnum):
    """How far a project is."""

    PLANNED = "planned"
    ACTIVE = "active"
    PAUSED = "paused"
    DONE = "done"


class Project(Identified, Tenant, Timestamped, Base):
    """Something that an organization works on.

    A deleted project is kept for a while (`deletion.KEPT`) so that deleting can be undone; every query but one leaves it out.
    """

    __tablename__ = "projects"
    __table_args__ = (
        # SET NULL names its column: the organization must stay when a lead leaves it.
        ForeignKeyConstraint(
            ["organization_id", "lead_id"],
            ["memberships.organization_id", "memberships.user_id"],
            ondelete="SET NULL (lead_id)",
            name="fk_projects_organization_id_lead_id_memberships",
        ),
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {LONGEST_NAME}", name="name_length"),
        CheckConstraint(f"char_length(description) <= {LONGEST_DESCRIPTION}", name="description_length"),
        CheckConstraint("status IN ('planned', 'active', 'paused', 'done')", name="status"),
        Index(
            "uq_projects_name",
            "organization_id",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        # One index for each order that the list can have (`listing.ORDERS`), and one for its lead.
        Index("ix_projects_by_name", "organization_id", "name_key", "id"),
        Index("ix_projects_by_age", "organization_id", "created_at", "id"),
        Index("ix_projects_by_due_date", "organization_id", "due_key", "id"),
        Index("ix_projects_by_status", "organization_id", "status_rank", "id"),
        Index("ix_projects_by_lead", "organization_id", "lead_id"),
        Index("ix_projects_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="", server_default="")
    status: Mapped[str] = mapped_column(default=ProjectStatus.PLANNED, server_default=ProjectStatus.PLANNED)
    # A member, who answers for the project.
    lead_id: Mapped[UUID | None]
    due_on: Mapped[date | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Counts the changes, so that nobody overwrites one that they have not seen.
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    deleted_at: Mapped[datetime | None]

    # What the orders of the list go by; the database keeps them. As expressions they would be looked at row by row: under
    # row-level security an index serves no comparison of what a function or COALESCE returns, since those might tell what they saw.
    name_key: Mapped[str] = mapped_column(Computed("lower(name)", persisted=True), deferred=True)
    # What is due on no day is due on one after all others: NULL would compare with nothing, and a page could not follow it. Not
    # on the last that Python has, which the driver sends as "infinity".
    due_key: Mapped[date] = mapped_column(
        Computed("COALESCE(due_on, '3000-01-01'::date)", persisted=True), deferred=True
    )
    status_rank: Mapped[int] = mapped_column(
        SmallInteger,
        Computed("array_position('{planned,active,paused,done}'::text[], status)", persisted=True),
        deferred=True,
    )

    lead: Mapped[User | None] = relationship(
        primaryjoin="foreign(Project.lead_id) == User.id", viewonly=True, lazy="raise"
    )

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return self.status != ProjectStatus.DONE


class ProjectImport(Identified, Tenant, Timestamped, Base):
    """Projects that were read from a file, until the worker has started them, or has said why it did not."""

    __tablename__ = "project_imports"
    __table_args__ = (
        Index(None, "created_at"),
        {"info": {"unrecorded": "What comes of an import is recorded with the projects that it starts."}},
    )

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # What is said about each project (`actions.ProjectValues`), checked. Not the file: it may be in the person's language.
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)  # Any: what JSON can say.
