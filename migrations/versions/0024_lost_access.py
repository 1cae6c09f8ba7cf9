"""Requests of people who lost every second factor."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLE = "lost_access_requests"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("ready_at", TIME, nullable=False),
        sa.Column("told_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("outcome", sa.Text()),
        sa.Column("ip", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("outcome IN ('stopped', 'cancelled', 'finished', 'expired')", name="outcome"),
        sa.CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="closed_at"),
    )
    op.create_index(f"ix_{TABLE}_user_id", TABLE, ["user_id"])
    is_open = sa.text("closed_at IS NULL")
    op.create_index(f"uq_{TABLE}_open", TABLE, ["user_id"], unique=True, postgresql_where=is_open)


def downgrade() -> None:
    op.drop_table(TABLE)
