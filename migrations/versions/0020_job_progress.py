"""How far long work has come, and a line of its own for each organization's jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

# The queue's table is PgQueuer's; an index of ours beside its own does not concern it.
WAITING = """
CREATE INDEX ix_pgqueuer_organization_waiting ON pgqueuer ((headers ->> 'organization_id'), entrypoint)
WHERE status = 'queued' AND headers ? 'organization_id'
"""


def upgrade() -> None:
    op.create_table(
        "job_progress",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer()),
        sa.Column("result_path", sa.Text()),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
        sa.CheckConstraint("done >= 0 AND (total IS NULL OR done <= total)", name="done"),
    )
    op.create_index("ix_job_progress_user_id_created_at", "job_progress", ["user_id", "created_at"])
    op.create_index("ix_job_progress_updated_at", "job_progress", ["updated_at"])
    op.execute(WAITING)


def downgrade() -> None:
    op.execute("DROP INDEX ix_pgqueuer_organization_waiting")
    op.drop_table("job_progress")
