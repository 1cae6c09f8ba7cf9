"""Logos of organizations."""

import sqlalchemy as sa
from alembic import op

from migrations.row_level_security import enable_row_level_security

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organizations", sa.Column("logo_digest", sa.Text()))
    op.create_table(
        "organization_logos",
        sa.Column(
            "organization_id", sa.Uuid(), sa.ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(content) <= 65536", name="content"),
    )
    enable_row_level_security(op, "organization_logos")


def downgrade() -> None:
    op.drop_table("organization_logos")
    op.drop_column("organizations", "logo_digest")
