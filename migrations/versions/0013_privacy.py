"""Copies of people's data, and forgetting people for good."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

# The application's role may only add to the audit trail. This function, which belongs to the owner, is the one exception: it
# takes out who and where, and leaves what and when. The trigger lets it pass by a setting that is of no use without the right
# to update, which the application does not have.
REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND COALESCE(current_setting('app.forgetting', true), '') = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$
"""
REFUSE_CHANGE_BEFORE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$
"""
FORGET_PERSON = """
CREATE FUNCTION forget_person(person uuid, organizations uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('app.forgetting', 'on', true);
  UPDATE audit_events SET
    actor_label = CASE WHEN actor_id = person THEN NULL ELSE actor_label END,
    target_label = CASE
      WHEN target_id = person OR organization_id IS NULL OR organization_id = ANY (organizations) THEN NULL
      ELSE target_label END,
    changes = CASE
      WHEN target_id = person OR organization_id IS NULL OR organization_id = ANY (organizations) THEN NULL
      ELSE changes END,
    ip = NULL, user_agent = NULL
  WHERE actor_id = person OR target_id = person OR organization_id = ANY (organizations);
  PERFORM set_config('app.forgetting', '', true);
END $$
"""
FORGETTABLE = """
CREATE POLICY forgettable ON audit_events FOR UPDATE USING (current_setting('app.forgetting', true) = 'on')
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("delete_at", TIME))
    op.create_index("ix_users_delete_at", "users", ["delete_at"], postgresql_where=sa.text("delete_at IS NOT NULL"))
    op.create_check_constraint("delete_at", "users", "(status = 'deleting') = (delete_at IS NOT NULL)")
    op.create_table(
        "data_exports",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer()),
        sa.Column("ready_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('building', 'ready', 'failed', 'expired')", name="state"),
        sa.CheckConstraint("(state = 'ready') = (content IS NOT NULL)", name="content"),
    )
    building = sa.text("state = 'building'")
    op.create_index("uq_data_exports_building", "data_exports", ["user_id"], unique=True, postgresql_where=building)
    op.create_index("ix_data_exports_user_id_created_at", "data_exports", ["user_id", "created_at"])
    for statement in (REFUSE_CHANGE, FORGET_PERSON, FORGETTABLE):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP POLICY forgettable ON audit_events")
    op.execute("DROP FUNCTION forget_person(uuid, uuid[])")
    op.execute(REFUSE_CHANGE_BEFORE)
    op.drop_table("data_exports")
    op.drop_constraint(op.f("ck_users_delete_at"), "users")
    op.drop_index("ix_users_delete_at", "users")
    op.drop_column("users", "delete_at")
