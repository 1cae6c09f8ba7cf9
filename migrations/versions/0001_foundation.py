"""What row-level security asks: which organization and which user has this transaction named?"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A setting that was made for a transaction is left behind as an empty text when the transaction ends, hence NULLIF.
NAMED_BY_THE_TRANSACTION = """
CREATE FUNCTION current_{name}() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT NULLIF(current_setting('app.{name}', true), '')::uuid $$
"""

IS_SYSTEM = """
CREATE FUNCTION is_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT COALESCE(current_setting('app.system', true) = 'on', false) $$
"""


def upgrade() -> None:
    op.execute(NAMED_BY_THE_TRANSACTION.format(name="organization_id"))
    op.execute(NAMED_BY_THE_TRANSACTION.format(name="user_id"))
    op.execute(IS_SYSTEM)


def downgrade() -> None:
    op.execute("DROP FUNCTION is_system()")
    op.execute("DROP FUNCTION current_user_id()")
    op.execute("DROP FUNCTION current_organization_id()")
