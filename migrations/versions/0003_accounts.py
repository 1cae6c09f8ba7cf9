"""People, their addresses, passwords and sessions, and the links mailed to them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def of_user(*, primary_key: bool = False) -> sa.Column[object]:
    """A reference to a person, whose row disappears with them."""
    return sa.Column(
        "user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, primary_key=primary_key
    )


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("is_staff", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("current_organization_id", sa.Uuid()),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
        sa.CheckConstraint("status IN ('active', 'locked', 'deleting', 'deleted')", name="status"),
    )
    op.create_table(
        "emails",
        sa.Column("id", sa.Uuid(), primary_key=True),
        of_user(),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("verified_at", TIME),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("NOT is_primary OR verified_at IS NOT NULL", name="primary_is_verified"),
    )
    folded = sa.func.lower(sa.text("address"))
    verified = sa.text("verified_at IS NOT NULL")
    op.create_index("uq_emails_verified", "emails", [folded], unique=True, postgresql_where=verified)
    op.create_index("uq_emails_primary", "emails", ["user_id"], unique=True, postgresql_where=sa.text("is_primary"))
    op.create_index("ix_emails_address", "emails", [folded])
    op.create_index("ix_emails_user_id", "emails", ["user_id"])
    op.create_table(
        "passwords",
        of_user(primary_key=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )
    create_sessions()
    create_one_time_tokens()


def create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, unique=True),
        of_user(),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("idle_expires_at", TIME, nullable=False),
        sa.Column("authenticated_at", TIME, nullable=False),
        sa.Column("authentication_methods", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("ip", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("revoked_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def create_one_time_tokens() -> None:
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        of_user(),
        sa.Column("email_id", sa.Uuid(), sa.ForeignKey("emails.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sent_to", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("purpose IN ('verify', 'reset')", name="purpose"),
    )
    for column in ("user_id", "email_id", "expires_at"):
        op.create_index(f"ix_one_time_tokens_{column}", "one_time_tokens", [column])


def downgrade() -> None:
    for table in ("one_time_tokens", "sessions", "passwords", "emails", "users"):
        op.drop_table(table)
