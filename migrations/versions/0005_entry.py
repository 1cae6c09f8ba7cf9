"""What entering takes besides a password: half-finished log-ins, browsers known before, and how a person likes the product."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
PREFERENCES = ("locale", "time_zone")


def of_user() -> sa.Column[object]:
    return sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    for name in PREFERENCES:
        op.add_column("users", sa.Column(name, sa.Text()))
    op.add_column("users", sa.Column("theme", sa.Text(), server_default="system", nullable=False))
    op.create_check_constraint("theme", "users", "theme IN ('system', 'light', 'dark')")
    op.add_column("users", sa.Column("second_factor_at", TIME))
    op.add_column("sessions", sa.Column("is_remembered", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    create_login_challenges()
    create_known_devices()


def create_login_challenges() -> None:
    op.create_table(
        "login_challenges",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, unique=True),
        of_user(),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("is_remembered", sa.Boolean(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_login_challenges_user_id", "login_challenges", ["user_id"])
    op.create_index("ix_login_challenges_expires_at", "login_challenges", ["expires_at"])


def create_known_devices() -> None:
    op.create_table(
        "known_devices",
        sa.Column("id", sa.Uuid(), primary_key=True),
        of_user(),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("trusted_until", TIME),
        sa.Column("ip", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("user_id", "token_hash"),
    )


def downgrade() -> None:
    op.drop_table("known_devices")
    op.drop_table("login_challenges")
    op.drop_column("sessions", "is_remembered")
    op.drop_column("users", "second_factor_at")
    op.drop_constraint(op.f("ck_users_theme"), "users")
    op.drop_column("users", "theme")
    for name in PREFERENCES:
        op.drop_column("users", name)
