"""Where in an organization somebody is."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KEY = ["organization_id", "user_id", "process_id"]


def upgrade() -> None:
    op.drop_constraint("pk_realtime_presence", "realtime_presence")
    op.add_column("realtime_presence", sa.Column("place", sa.Text(), server_default="", nullable=False))
    op.create_primary_key("pk_realtime_presence", "realtime_presence", [*KEY, "place"])


def downgrade() -> None:
    op.execute("TRUNCATE realtime_presence")  # Somebody may be at several places; everybody is noted again at once.
    op.drop_constraint("pk_realtime_presence", "realtime_presence")
    op.drop_column("realtime_presence", "place")
    op.create_primary_key("pk_realtime_presence", "realtime_presence", KEY)
