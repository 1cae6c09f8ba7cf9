"""Pictures of people, and a log of their account that shows what was done to it as well."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = "organization_id = current_organization_id() OR actor_id = current_user_id() OR is_system()"
# A wrong password names nobody as actor: the person whose account it was tried on may see it all the same.
NOW = f"{BEFORE} OR (organization_id IS NULL AND target_type = 'user' AND target_id = current_user_id())"


def upgrade() -> None:
    op.add_column("users", sa.Column("avatar_digest", sa.Text()))
    op.create_table(
        "avatars",
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(content) <= 65536", name="content"),
    )
    op.execute(f"ALTER POLICY visible ON audit_events USING ({NOW})")


def downgrade() -> None:
    op.execute(f"ALTER POLICY visible ON audit_events USING ({BEFORE})")
    op.drop_table("avatars")
    op.drop_column("users", "avatar_digest")
