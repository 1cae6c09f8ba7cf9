"""Projects that were read from a file and wait for the worker to start them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_level_security import enable_row_level_security

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "project_imports",
        sa.Column("organization_id", sa.Uuid(), sa.ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id"),
    )
    op.create_index("ix_project_imports_created_by", "project_imports", ["created_by"])
    op.create_index("ix_project_imports_created_at", "project_imports", ["created_at"])
    enable_row_level_security(op, "project_imports")


def downgrade() -> None:
    op.drop_table("project_imports")
