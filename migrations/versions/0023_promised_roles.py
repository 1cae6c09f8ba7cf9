"""Invitations, join links and domains give a role: a built-in one, or one of the organization's own."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = ("invitations", "join_links", "join_domains")
# Until now these two let people in as members, whatever else there was.
WITHOUT_ROLE = ("join_links", "join_domains")


def upgrade() -> None:
    for table in WITHOUT_ROLE:
        op.add_column(table, sa.Column("role", sa.Text(), nullable=False, server_default="member"))
    for table in TABLES:
        op.add_column(table, sa.Column("custom_role_id", sa.Uuid()))
        op.create_check_constraint(op.f(f"ck_{table}_role"), table, "role IN ('owner', 'admin', 'member')")
        op.create_check_constraint(op.f(f"ck_{table}_custom_role"), table, "custom_role_id IS NULL OR role = 'member'")
        op.create_foreign_key(
            op.f(f"fk_{table}_organization_id_custom_role_id_roles"),
            table,
            "roles",
            ["organization_id", "custom_role_id"],
            ["organization_id", "id"],
        )
        op.create_index(
            f"ix_{table}_organization_id_custom_role_id",
            table,
            ["organization_id", "custom_role_id"],
            postgresql_where=sa.text("custom_role_id IS NOT NULL"),
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_index(f"ix_{table}_organization_id_custom_role_id", table)
        op.drop_constraint(op.f(f"fk_{table}_organization_id_custom_role_id_roles"), table)
        op.drop_constraint(op.f(f"ck_{table}_custom_role"), table)
        op.drop_constraint(op.f(f"ck_{table}_role"), table)
        op.drop_column(table, "custom_role_id")
    for table in reversed(WITHOUT_ROLE):
        op.drop_column(table, "role")
