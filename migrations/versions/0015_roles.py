"""Roles that organizations make for themselves."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from migrations.row_level_security import enable_row_level_security

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# A member's role is read by the statement that finds the membership, before the organization is named.
OWN_ROLES = (
    "EXISTS (SELECT 1 FROM memberships WHERE organization_id = roles.organization_id AND user_id = current_user_id())"
)


def upgrade() -> None:
    op.create_table(
        "roles",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("organization_id", sa.Uuid(), sa.ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("permissions", ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("key ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(key) <= 60", name="key"),
        sa.CheckConstraint("key NOT IN ('owner', 'admin', 'member')", name="key_built_in"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 60", name="name_length"),
        sa.UniqueConstraint("organization_id", "id"),
        sa.UniqueConstraint("organization_id", "key"),
    )
    op.create_index("uq_roles_name", "roles", ["organization_id", sa.text("lower(name)")], unique=True)
    enable_row_level_security(op, "roles", also_visible=OWN_ROLES)
    op.add_column("memberships", sa.Column("custom_role_id", sa.Uuid()))
    op.create_check_constraint("custom_role", "memberships", "custom_role_id IS NULL OR role = 'member'")
    op.create_foreign_key(
        op.f("fk_memberships_organization_id_custom_role_id_roles"),
        "memberships",
        "roles",
        ["organization_id", "custom_role_id"],
        ["organization_id", "id"],
    )
    op.create_index(
        "ix_memberships_organization_id_custom_role_id",
        "memberships",
        ["organization_id", "custom_role_id"],
        postgresql_where=sa.text("custom_role_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_memberships_organization_id_custom_role_id", "memberships")
    op.drop_constraint(op.f("fk_memberships_organization_id_custom_role_id_roles"), "memberships")
    op.drop_constraint(op.f("ck_memberships_custom_role"), "memberships")
    op.drop_column("memberships", "custom_role_id")
    op.drop_table("roles")
