"""What became of messages, who gets no more of them, and what other services tell us."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
STATUSES = ("queued", "sending", "sent", "failed", "unclear", "withheld")
EARLIER_STATUSES = STATUSES[:4]


def upgrade() -> None:
    create_inbound_events()
    create_suppressions()
    create_subscriptions()
    op.add_column("email_messages", sa.Column("unsubscribe_url", sa.Text()))
    op.add_column(
        "email_messages",
        sa.Column("subscription_id", sa.Uuid(), sa.ForeignKey("email_subscriptions.id", ondelete="SET NULL")),
    )
    op.add_column("email_messages", sa.Column("outcome", sa.Text()))
    op.create_check_constraint(
        op.f("ck_email_messages_outcome"), "email_messages", "outcome IN ('delivered', 'bounced', 'complained')"
    )
    allow(STATUSES)
    op.create_index("ix_email_messages_status_created_at", "email_messages", ["status", "created_at"])
    for columns in (["subscription_id"], ["provider", "provider_id"]):
        is_there = sa.text(f"{columns[-1]} IS NOT NULL")
        op.create_index(f"ix_email_messages_{'_'.join(columns)}", "email_messages", columns, postgresql_where=is_there)


def create_inbound_events() -> None:
    op.create_table(
        "inbound_events",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("handled_at", TIME),
        sa.UniqueConstraint("source", "external_id"),
    )
    op.create_index("ix_inbound_events_received_at", "inbound_events", ["received_at"])


def create_suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("released_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("reason IN ('bounce', 'complaint')", name="reason"),
    )
    op.create_index("ix_suppressions_created_at", "suppressions", ["created_at"])
    op.create_index(
        "uq_suppressions_address",
        "suppressions",
        [sa.text("lower(address)")],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )


def create_subscriptions() -> None:
    op.create_table(
        "email_subscriptions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unsubscribed_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index(
        "uq_email_subscriptions_address_kind",
        "email_subscriptions",
        [sa.text("lower(address)"), "kind"],
        unique=True,
    )


def allow(statuses: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{status}'" for status in statuses)
    op.drop_constraint(op.f("ck_email_messages_status"), "email_messages")
    op.create_check_constraint(op.f("ck_email_messages_status"), "email_messages", f"status IN ({listed})")


def downgrade() -> None:
    op.execute("UPDATE email_messages SET status = 'failed' WHERE status IN ('unclear', 'withheld')")
    for name in ("status_created_at", "subscription_id", "provider_provider_id"):
        op.drop_index(f"ix_email_messages_{name}", "email_messages")
    allow(EARLIER_STATUSES)
    for column in ("outcome", "subscription_id", "unsubscribe_url"):
        op.drop_column("email_messages", column)
    for table in ("email_subscriptions", "suppressions", "inbound_events"):
        op.drop_table(table)
