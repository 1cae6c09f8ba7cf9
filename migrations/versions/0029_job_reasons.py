"""Why work failed that a person waited for."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_progress", sa.Column("reason", sa.Text()))


def downgrade() -> None:
    op.drop_column("job_progress", "reason")
