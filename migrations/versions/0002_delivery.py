"""Jobs, e-mail, the audit trail and rate limits."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PGQUEUER = Path(__file__).parent.parent / "pgqueuer_1_6.sql"

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$
"""

# FOR EACH STATEMENT: an attempt is refused even where it would find no row, TRUNCATE included.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

# Events outside any organization (a log-in) may be written by anybody, and read by the person who caused them.
READ_AUDIT_EVENTS = """
CREATE POLICY visible ON audit_events FOR SELECT
USING (organization_id = current_organization_id() OR actor_id = current_user_id() OR is_system())
"""
WRITE_AUDIT_EVENTS = """
CREATE POLICY writable ON audit_events FOR INSERT
WITH CHECK (organization_id IS NULL OR organization_id = current_organization_id() OR is_system())
"""


def upgrade() -> None:
    create_queue()
    create_email_messages()
    create_audit_events()
    create_rate_limits()


def create_queue() -> None:
    text = PGQUEUER.read_text()
    for statement in re.split(r"\n(?=CREATE )", text)[1:]:
        op.execute(sa.text(statement.strip().replace(":", r"\:")))


def create_email_messages() -> None:
    op.create_table(
        "email_messages",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.Text(), unique=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("provider_id", sa.Text()),
        sa.Column("last_error", sa.Text()),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status IN ('queued', 'sending', 'sent', 'failed')", name="status"),
        sa.CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
    )
    op.create_index(op.f("ix_email_messages_created_at"), "email_messages", ["created_at"])
    op.create_index(op.f("ix_email_messages_to_address_created_at"), "email_messages", ["to_address", "created_at"])


def create_audit_events() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.Uuid()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_type", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("actor_label", sa.Text()),
        sa.Column("target_type", sa.Text()),
        sa.Column("target_id", sa.Uuid()),
        sa.Column("target_label", sa.Text()),
        sa.Column("changes", JSONB()),
        sa.Column("ip", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.CheckConstraint("actor_type IN ('user', 'token', 'system', 'support')", name="actor_type"),
        sa.CheckConstraint("(actor_type = 'system') = (actor_id IS NULL)", name="actor_id"),
        sa.CheckConstraint("(target_type IS NULL) = (target_id IS NULL)", name="target"),
    )
    for columns in (["organization_id"], ["actor_id"], ["target_type", "target_id"]):
        name = op.f(f"ix_audit_events_{'_'.join(columns)}_created_at")
        op.create_index(name, "audit_events", [*columns, "created_at"])
    op.execute(REFUSE_CHANGE)
    op.execute(APPEND_ONLY)
    op.execute("ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit_events FORCE ROW LEVEL SECURITY")
    op.execute(READ_AUDIT_EVENTS)
    op.execute(WRITE_AUDIT_EVENTS)


def create_rate_limits() -> None:
    # UNLOGGED: counts are written often and may be lost with a crash of the database, which forgives everybody once.
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.LargeBinary(), primary_key=True),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_rate_limits_expires_at"), "rate_limits", ["expires_at"])


def downgrade() -> None:
    op.drop_table("rate_limits")
    op.drop_table("audit_events")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_table("email_messages")
    for table in ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"):
        op.drop_table(table)
    op.execute("DROP FUNCTION fn_pgqueuer_changed()")
    op.execute("DROP TYPE pgqueuer_status")
