"""Projects by name, day and status from columns of their own, which an index can serve under row-level security."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# Each index, with the column that it now goes by, that column's type, and the expression that it went by.
KEYS: list[tuple[str, str, sa.types.TypeEngine[object], str]] = [
    ("ix_projects_by_name", "name_key", sa.Text(), "lower(name)"),
    ("ix_projects_by_due_date", "due_key", sa.Date(), "COALESCE(due_on, '3000-01-01'::date)"),
    (
        "ix_projects_by_status",
        "status_rank",
        sa.SmallInteger(),
        "array_position('{planned,active,paused,done}'::text[], status)",
    ),
]


def upgrade() -> None:
    for index, name, kind, expression in KEYS:
        op.add_column("projects", sa.Column(name, kind, sa.Computed(expression, persisted=True), nullable=False))
        op.drop_index(index, "projects")
        op.create_index(index, "projects", ["organization_id", name, "id"])


def downgrade() -> None:
    for index, name, _, expression in KEYS:
        op.drop_column("projects", name)
        op.create_index(index, "projects", ["organization_id", sa.text(f"({expression})"), "id"])
