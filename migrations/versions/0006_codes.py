"""Short codes beside mailed links: typed into the browser that asked for them, counted, and good for two purposes more."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BEFORE = "purpose IN ('verify', 'reset')"
AFTER = "purpose IN ('verify', 'reset', 'log_in', 'confirm')"


def upgrade() -> None:
    op.add_column("one_time_tokens", sa.Column("browser_hash", sa.LargeBinary()))
    op.add_column("one_time_tokens", sa.Column("code_hash", sa.LargeBinary()))
    op.add_column("one_time_tokens", sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_one_time_tokens_browser_hash", "one_time_tokens", ["browser_hash"])
    replace_purposes(AFTER)


def downgrade() -> None:
    op.execute("DELETE FROM one_time_tokens WHERE purpose NOT IN ('verify', 'reset')")
    replace_purposes(BEFORE)
    op.drop_index("ix_one_time_tokens_browser_hash", "one_time_tokens")
    for name in ("attempts", "code_hash", "browser_hash"):
        op.drop_column("one_time_tokens", name)


def replace_purposes(condition: str) -> None:
    op.drop_constraint(op.f("ck_one_time_tokens_purpose"), "one_time_tokens")
    op.create_check_constraint("purpose", "one_time_tokens", condition)
