"""Links that are mailed about a person's addresses: to prove one, to change the primary one, to take that back."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "address_links",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("previous_address", sa.Text()),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('add', 'change', 'undo')", name="kind"),
        sa.CheckConstraint("(kind = 'undo') = (previous_address IS NOT NULL)", name="previous_address"),
    )
    op.create_index("ix_address_links_user_id", "address_links", ["user_id"])
    op.create_index("ix_address_links_expires_at", "address_links", ["expires_at"])


def downgrade() -> None:
    op.drop_table("address_links")
