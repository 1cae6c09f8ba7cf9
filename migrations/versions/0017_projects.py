"""Projects: the example of a feature. It goes with the folder app/projects."""

import sqlalchemy as sa
from alembic import op

from migrations.row_level_security import enable_row_level_security

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ORDERS = {
    "ix_projects_by_name": sa.text("lower(name)"),
    "ix_projects_by_age": "created_at",
    "ix_projects_by_due_date": sa.text("(COALESCE(due_on, '3000-01-01'::date))"),
    "ix_projects_by_status": sa.text("array_position('{planned,active,paused,done}'::text[], status)"),
}


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("organization_id", sa.Uuid(), sa.ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="planned", nullable=False),
        sa.Column("lead_id", sa.Uuid()),
        sa.Column("due_on", sa.Date()),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
        sa.CheckConstraint("char_length(description) <= 2000", name="description_length"),
        sa.CheckConstraint("status IN ('planned', 'active', 'paused', 'done')", name="status"),
    )
    # A reference by both columns: whoever leads a project is a member of its organization, and leaving clears `lead_id` alone.
    op.create_foreign_key(
        op.f("fk_projects_organization_id_lead_id_memberships"),
        "projects",
        "memberships",
        ["organization_id", "lead_id"],
        ["organization_id", "user_id"],
        ondelete="SET NULL (lead_id)",
    )
    create_indexes()
    enable_row_level_security(op, "projects")


def create_indexes() -> None:
    kept, deleted = sa.text("deleted_at IS NULL"), sa.text("deleted_at IS NOT NULL")
    names = ["organization_id", sa.text("lower(name)")]
    op.create_index("uq_projects_name", "projects", names, unique=True, postgresql_where=kept)
    for name, key in ORDERS.items():
        op.create_index(name, "projects", ["organization_id", key, "id"])
    op.create_index("ix_projects_by_lead", "projects", ["organization_id", "lead_id"])
    op.create_index("ix_projects_created_by", "projects", ["created_by"])
    op.create_index("ix_projects_deleted", "projects", ["deleted_at"], postgresql_where=deleted)


def downgrade() -> None:
    op.drop_table("projects")
