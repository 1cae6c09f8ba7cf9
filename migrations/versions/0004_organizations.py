"""Organizations, memberships and former slugs, each visible only to its own people."""

import sqlalchemy as sa
from alembic import op

from migrations.row_level_security import enable_row_level_security

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

# Checked when the transaction ends, so that owners may be swapped within one. The lock on the organization makes two
# transactions that each take away a different owner wait for each other: the second one then finds none left.
# It looks past row-level security: whoever removes a member, the owners that remain must be counted.
ORGANIZATION_KEEPS_OWNER = """
CREATE FUNCTION organization_keeps_owner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before text := COALESCE(current_setting('app.system', true), '');
BEGIN
  PERFORM set_config('app.system', 'on', true);
  PERFORM 1 FROM organizations WHERE id = OLD.organization_id AND status <> 'deleting' FOR UPDATE;
  IF FOUND AND NOT EXISTS (
    SELECT 1 FROM memberships
    WHERE organization_id = OLD.organization_id AND role = 'owner' AND status = 'active'
  ) THEN
    RAISE EXCEPTION 'organization_needs_owner'
      USING ERRCODE = '23514', CONSTRAINT = 'organization_keeps_owner', TABLE = 'memberships';
  END IF;
  PERFORM set_config('app.system', before, true);
  RETURN NULL;
END $$
"""

KEEPS_OWNER_TRIGGER = """
CREATE CONSTRAINT TRIGGER organization_keeps_owner AFTER UPDATE OF role, status OR DELETE ON memberships
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION organization_keeps_owner()
"""

# A former slug still leads to its organization, so another one must not take it. It is refused as a taken slug is.
SLUG_IS_FREE = """
CREATE FUNCTION organization_slug_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM slug_history WHERE slug = NEW.slug AND organization_id <> NEW.id) THEN
    RAISE EXCEPTION 'slug_is_taken'
      USING ERRCODE = '23505', CONSTRAINT = 'uq_organizations_slug', TABLE = 'organizations';
  END IF;
  RETURN NEW;
END $$
"""

SLUG_TRIGGER = """
CREATE TRIGGER organization_slug_is_free BEFORE INSERT OR UPDATE OF slug ON organizations
FOR EACH ROW EXECUTE FUNCTION organization_slug_is_free()
"""

OWN_ORGANIZATIONS = (
    "EXISTS (SELECT 1 FROM memberships WHERE organization_id = organizations.id AND user_id = current_user_id())"
)


def of_organization(*, primary_key: bool = False) -> sa.Column[object]:
    reference = sa.ForeignKey("organizations.id", ondelete="CASCADE")
    return sa.Column("organization_id", sa.Uuid(), reference, nullable=False, primary_key=primary_key)


def upgrade() -> None:
    create_organizations()
    create_memberships()
    create_slug_history()
    op.create_foreign_key(
        op.f("fk_users_current_organization_id_organizations"),
        "users",
        "organizations",
        ["current_organization_id"],
        ["id"],
        ondelete="SET NULL",
    )
    for statement in (ORGANIZATION_KEEPS_OWNER, KEEPS_OWNER_TRIGGER, SLUG_IS_FREE, SLUG_TRIGGER):
        op.execute(statement)


def create_organizations() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("slug", sa.Text(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("named_at", TIME),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 40", name="slug"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
        sa.CheckConstraint("kind IN ('personal', 'team')", name="kind"),
        sa.CheckConstraint("status IN ('active', 'suspended', 'deleting')", name="status"),
    )
    personal = sa.text("kind = 'personal'")
    op.create_index(
        "uq_organizations_personal", "organizations", ["created_by"], unique=True, postgresql_where=personal
    )


def create_memberships() -> None:
    op.create_table(
        "memberships",
        of_organization(primary_key=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("invited_by", sa.Uuid(), sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("joined_at", TIME, nullable=False),
        sa.CheckConstraint("role IN ('owner', 'admin', 'member')", name="role"),
        sa.CheckConstraint("status IN ('active', 'suspended')", name="status"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])
    # People see their own memberships and the organizations behind them before any of those is named.
    enable_row_level_security(op, "memberships", also_visible="user_id = current_user_id()")
    enable_row_level_security(op, "organizations", column="id", also_visible=OWN_ORGANIZATIONS)


def create_slug_history() -> None:
    op.create_table(
        "slug_history",
        sa.Column("slug", sa.Text(), primary_key=True),
        of_organization(),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_slug_history_organization_id", "slug_history", ["organization_id"])
    # Everybody may follow an old address: it says which organization it meant, and that one decides who gets in.
    enable_row_level_security(op, "slug_history", also_visible="true")


def downgrade() -> None:
    op.drop_constraint(op.f("fk_users_current_organization_id_organizations"), "users")
    op.execute("DROP POLICY visible ON organizations")  # It reads the memberships.
    for table in ("slug_history", "memberships", "organizations"):
        op.drop_table(table)
    op.execute("DROP FUNCTION organization_keeps_owner()")
    op.execute("DROP FUNCTION organization_slug_is_free()")
