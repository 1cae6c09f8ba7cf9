"""Tokens by which programs act for a person, and in the audit trail for whom they acted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME),
        sa.Column("last_used_ip", sa.Text()),
        sa.Column("revoked_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 60", name="name_length"),
        sa.CheckConstraint("cardinality(scopes) > 0", name="scopes"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])
    op.add_column("audit_events", sa.Column("on_behalf_of", sa.Uuid()))
    op.create_index(
        "ix_audit_events_on_behalf_of_created_at",
        "audit_events",
        ["on_behalf_of", "created_at"],
        postgresql_where=sa.text("on_behalf_of IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_audit_events_on_behalf_of_created_at", "audit_events")
    op.drop_column("audit_events", "on_behalf_of")
    op.drop_table("api_tokens")
