"""Events that all processes hear of, notifications, and who is looking at an organization."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_level_security import enable_row_level_security

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

PUBLISH_EVENT = """
CREATE FUNCTION publish_event(topic text, type text, data jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE event realtime_events;
BEGIN
  INSERT INTO realtime_events (topic, type, data)
  VALUES (publish_event.topic, publish_event.type, publish_event.data) RETURNING * INTO event;
  PERFORM pg_notify('realtime', json_build_object('id', event.id, 'topic', event.topic, 'type', event.type,
    'data', event.data, 'oldest_transaction', event.oldest_transaction)::text);
  RETURN event.id;
END $$
"""

# What ends or changes somebody's access is told by the tables themselves, whichever code changed them.
SESSION_ENDED = """
CREATE FUNCTION publish_session_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM publish_event('session:' || OLD.id, 'session.ended', '{}');
  RETURN NULL;
END $$
"""
MEMBERSHIP_CHANGED = """
CREATE FUNCTION publish_membership_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM publish_event('user:' || OLD.user_id, 'access.changed',
    jsonb_build_object('organization_id', OLD.organization_id));
  RETURN NULL;
END $$
"""
USER_CHANGED = """
CREATE FUNCTION publish_user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM publish_event('user:' || OLD.id, 'access.changed', '{}');
  RETURN NULL;
END $$
"""
ORGANIZATION_CHANGED = """
CREATE FUNCTION publish_organization_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM publish_event('organization:' || OLD.id, 'access.changed', '{}');
  RETURN NULL;
END $$
"""
ROLE_CHANGED = """
CREATE FUNCTION publish_role_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM publish_event('organization:' || OLD.organization_id, 'access.changed', '{}');
  RETURN NULL;
END $$
"""
AUDIT_RECORDED = """
CREATE FUNCTION publish_audit_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM publish_event('audit:' || NEW.organization_id, 'audit.recorded', jsonb_build_object('event_id', NEW.id));
  RETURN NULL;
END $$
"""
# Once for each person, however many of their notifications one statement changed.
NOTIFICATIONS_ADDED = """
CREATE FUNCTION publish_notifications_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM publish_event('user:' || user_id, 'notifications.changed', '{}') FROM (SELECT DISTINCT user_id FROM added) people;
  RETURN NULL;
END $$
"""
NOTIFICATIONS_CHANGED = """
CREATE FUNCTION publish_notifications_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM publish_event('user:' || user_id, 'notifications.changed', '{}') FROM (
    SELECT DISTINCT before.user_id FROM before JOIN after USING (id)
    WHERE (before.read_at IS NULL) <> (after.read_at IS NULL) OR before.count <> after.count) people;
  RETURN NULL;
END $$
"""
FUNCTIONS = (
    PUBLISH_EVENT,
    SESSION_ENDED,
    MEMBERSHIP_CHANGED,
    USER_CHANGED,
    ORGANIZATION_CHANGED,
    ROLE_CHANGED,
    AUDIT_RECORDED,
    NOTIFICATIONS_ADDED,
    NOTIFICATIONS_CHANGED,
)
TRIGGERS = {
    "session_ended": """AFTER UPDATE OF revoked_at, token_hash, expires_at ON sessions FOR EACH ROW
        WHEN ((OLD.revoked_at, OLD.token_hash, OLD.expires_at) IS DISTINCT FROM
              (NEW.revoked_at, NEW.token_hash, NEW.expires_at))
        EXECUTE FUNCTION publish_session_ended()""",
    "session_deleted": """AFTER DELETE ON sessions FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now())
        EXECUTE FUNCTION publish_session_ended()""",
    "membership_changed": """AFTER UPDATE OF role, status, custom_role_id ON memberships FOR EACH ROW
        WHEN ((OLD.role, OLD.status, OLD.custom_role_id) IS DISTINCT FROM (NEW.role, NEW.status, NEW.custom_role_id))
        EXECUTE FUNCTION publish_membership_changed()""",
    "membership_ended": """AFTER DELETE ON memberships FOR EACH ROW EXECUTE FUNCTION publish_membership_changed()""",
    "user_changed": """AFTER UPDATE OF status ON users FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
        EXECUTE FUNCTION publish_user_changed()""",
    "organization_changed": """AFTER UPDATE OF status, second_factor_from, session_hours ON organizations FOR EACH ROW
        WHEN ((OLD.status, OLD.second_factor_from, OLD.session_hours) IS DISTINCT FROM
              (NEW.status, NEW.second_factor_from, NEW.session_hours))
        EXECUTE FUNCTION publish_organization_changed()""",
    "role_changed": """AFTER UPDATE OF permissions ON roles FOR EACH ROW
        WHEN (OLD.permissions IS DISTINCT FROM NEW.permissions) EXECUTE FUNCTION publish_role_changed()""",
    "audit_recorded": """AFTER INSERT ON audit_events FOR EACH ROW WHEN (NEW.organization_id IS NOT NULL)
        EXECUTE FUNCTION publish_audit_recorded()""",
    "notifications_added": """AFTER INSERT ON notifications REFERENCING NEW TABLE AS added FOR EACH STATEMENT
        EXECUTE FUNCTION publish_notifications_added()""",
    "notifications_changed": """AFTER UPDATE ON notifications REFERENCING OLD TABLE AS before NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION publish_notifications_changed()""",
}


def upgrade() -> None:
    _create_events()
    _create_presence()
    _create_notifications()
    for statement in FUNCTIONS:
        op.execute(statement)
    for name, definition in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {definition}")


def _create_events() -> None:
    op.create_table(
        "realtime_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", JSONB(), nullable=False),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("((pg_current_xact_id())::text)::bigint"),
            nullable=False,
        ),
        sa.Column(
            "oldest_transaction",
            sa.BigInteger(),
            server_default=sa.text("((pg_snapshot_xmin(pg_current_snapshot()))::text)::bigint"),
            nullable=False,
        ),
        sa.Column("created_at", TIME, server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("octet_length(data::text) <= 2000", name="data_size"),
    )
    for columns in (["topic", "id"], ["transaction_id"], ["created_at"]):
        op.create_index(f"ix_realtime_events_{'_'.join(columns)}", "realtime_events", columns)


def _create_presence() -> None:
    op.create_table(
        "realtime_presence",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "user_id", "process_id"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_realtime_presence_user_id", "realtime_presence", ["user_id"])
    enable_row_level_security(op, "realtime_presence")


def _create_notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("about_organization_id", sa.Uuid(), sa.ForeignKey("organizations.id", ondelete="CASCADE")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", JSONB(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("group_key", sa.Text()),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("seen_at", TIME),
        sa.Column("read_at", TIME),
        sa.Column("emailed_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
    )
    unread = sa.text("read_at IS NULL")
    op.create_index("ix_notifications_user_id_created_at_id", "notifications", ["user_id", "created_at", "id"])
    op.create_index("ix_notifications_unread", "notifications", ["user_id", "created_at"], postgresql_where=unread)
    op.create_index(
        "uq_notifications_group",
        "notifications",
        ["user_id", "group_key"],
        unique=True,
        postgresql_where=sa.text("read_at IS NULL AND group_key IS NOT NULL"),
    )
    op.create_index("ix_notifications_about_organization_id", "notifications", ["about_organization_id"])
    op.create_index("ix_notifications_actor_id", "notifications", ["actor_id"])
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.CheckConstraint("channel IN ('in_app', 'email', 'digest')", name="channel"),
    )


def downgrade() -> None:
    for name, definition in TRIGGERS.items():
        table = definition.partition(" ON ")[2].split()[0]
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for statement in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {statement.split()[2].partition('(')[0]}")
    for table in ("notification_preferences", "notifications", "realtime_presence", "realtime_events"):
        op.drop_table(table)
