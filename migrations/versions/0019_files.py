"""Files of organizations, the sum of their sizes, and what has to go from a storage."""

import sqlalchemy as sa
from alembic import op

from migrations.row_level_security import enable_row_level_security

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

# The sum is changed in the transaction that adds or removes the file; the row's lock lets one at a time decide by it.
COUNT_FILE = """
CREATE FUNCTION count_file() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO file_usage (organization_id, size, files) VALUES (NEW.organization_id, NEW.size, 1)
      ON CONFLICT (organization_id) DO UPDATE SET size = file_usage.size + EXCLUDED.size, files = file_usage.files + 1;
  ELSE
    UPDATE file_usage SET size = size - OLD.size, files = files - 1 WHERE organization_id = OLD.organization_id;
    INSERT INTO file_removals (storage, key, created_at) VALUES (OLD.storage, OLD.key, now());
  END IF;
  RETURN NULL;
END $$
"""


def tenant(*, primary_key: bool = False) -> sa.Column[object]:
    reference = sa.ForeignKey("organizations.id", ondelete="CASCADE")
    return sa.Column("organization_id", sa.Uuid(), reference, nullable=False, primary_key=primary_key)


def upgrade() -> None:
    create_files()
    op.create_table(
        "file_usage",
        tenant(primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("size >= 0 AND files >= 0", name="sums"),
    )
    enable_row_level_security(op, "file_usage")
    op.create_table(
        "file_removals",
        sa.Column("storage", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.execute(COUNT_FILE)
    op.execute("CREATE TRIGGER count_file AFTER INSERT OR DELETE ON files FOR EACH ROW EXECUTE FUNCTION count_file()")


def create_files() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.Uuid(), primary_key=True),
        tenant(),
        sa.Column("uploaded_by", sa.Uuid(), sa.ForeignKey("users.id", ondelete="SET NULL"), index=True),
        sa.Column("storage", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("deleted_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("storage", "key"),
        sa.UniqueConstraint("organization_id", "id"),
        sa.CheckConstraint("state IN ('pending', 'ready', 'quarantined', 'deleted')", name="state"),
        sa.CheckConstraint("(state = 'deleted') = (deleted_at IS NOT NULL)", name="deleted_at"),
        sa.CheckConstraint("char_length(filename) BETWEEN 1 AND 200", name="filename"),
        sa.CheckConstraint("size >= 0", name="size"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    )
    op.create_index("ix_files_organization_id_created_at_id", "files", ["organization_id", "created_at", "id"])
    op.create_index("ix_files_created_at", "files", ["created_at"], postgresql_where=sa.text("state = 'pending'"))
    op.create_index("ix_files_deleted_at", "files", ["deleted_at"], postgresql_where=sa.text("state = 'deleted'"))
    enable_row_level_security(op, "files")


def downgrade() -> None:
    op.drop_table("files")
    op.execute("DROP FUNCTION count_file()")
    op.drop_table("file_removals")
    op.drop_table("file_usage")
