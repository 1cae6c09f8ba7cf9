"""Old events of the audit trail can be forgotten, by one function alone."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Whoever is let through by the policy and the triggers below: a deletion that runs inside forget_audit_events().
FORGETTING = "current_setting('app.forgetting', true) = 'on' AND created_at < now() - interval '90 days'"

# It runs with its owner's rights, since the application's role may not delete events. What it deletes is at least 90 days
# old, whatever it is asked for: who takes the application over cannot make what they do today disappear.
FORGET = """
CREATE FUNCTION forget_audit_events(older_than timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := COALESCE(current_setting('app.system', true), '');
  forgotten integer;
BEGIN
  PERFORM set_config('app.system', 'on', true), set_config('app.forgetting', 'on', true);
  DELETE FROM audit_events WHERE id IN (
    SELECT id FROM audit_events WHERE created_at < LEAST(older_than, now() - interval '90 days') LIMIT most
  );
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  PERFORM set_config('app.system', before, true), set_config('app.forgetting', '', true);
  RETURN forgotten;
END $$
"""

# The owner is bound by row-level security as well, and had no policy to delete by. The condition is repeated in the policy, so
# that setting app.forgetting by hand reaches nothing young either.
POLICY = f"CREATE POLICY forgotten ON audit_events FOR DELETE USING (is_system() AND {FORGETTING})"

TRIGGERS = """
DROP TRIGGER append_only ON audit_events;
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_but_for_the_old BEFORE DELETE ON audit_events
FOR EACH STATEMENT WHEN (current_setting('app.forgetting', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION refuse_change();
CREATE TRIGGER the_young_stay BEFORE DELETE ON audit_events
FOR EACH ROW WHEN (OLD.created_at >= now() - interval '90 days') EXECUTE FUNCTION refuse_change()
"""

AS_BEFORE = """
DROP TRIGGER the_young_stay ON audit_events;
DROP TRIGGER append_only_but_for_the_old ON audit_events;
DROP TRIGGER append_only ON audit_events;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    op.create_index("ix_audit_events_created_at", "audit_events", ["created_at"])
    op.execute(POLICY)
    op.execute(FORGET)
    for statement in TRIGGERS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for statement in AS_BEFORE.split(";"):
        op.execute(statement)
    op.execute("DROP FUNCTION forget_audit_events(timestamptz, integer)")
    op.execute("DROP POLICY forgotten ON audit_events")
    op.drop_index("ix_audit_events_created_at", "audit_events")
