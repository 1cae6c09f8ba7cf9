"""A language and a time zone for those members of an organization who have chosen none."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organizations", sa.Column("locale", sa.Text()))
    op.add_column("organizations", sa.Column("time_zone", sa.Text()))


def downgrade() -> None:
    op.drop_column("organizations", "time_zone")
    op.drop_column("organizations", "locale")
