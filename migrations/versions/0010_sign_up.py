"""What people agreed to, and who waits for a place."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("terms_version", sa.Text()))
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_consents_user_id", "consents", ["user_id"])
    op.create_table(
        "waitlist",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("invited_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("token_hash", sa.LargeBinary(), unique=True),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("uq_waitlist_address", "waitlist", [sa.func.lower(sa.text("address"))], unique=True)


def downgrade() -> None:
    op.drop_table("waitlist")
    op.drop_table("consents")
    op.drop_column("users", "terms_version")
