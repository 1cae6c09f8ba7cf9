"""Second factors: authenticator apps, recovery codes, passkeys."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def of_user() -> sa.Column[object]:
    return sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "totp",
        sa.Column("id", sa.Uuid(), primary_key=True),
        of_user(),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", TIME),
        sa.Column("last_used_step", sa.BigInteger()),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("user_id"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), primary_key=True),
        of_user(),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("user_id", "code_hash"),
    )
    create_passkeys()
    op.create_table(
        "used_passkey_challenges",
        sa.Column("challenge_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_index("ix_used_passkey_challenges_expires_at", "used_passkey_challenges", ["expires_at"])


def create_passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), primary_key=True),
        of_user(),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("aaguid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("last_used_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 60", name="name_length"),
    )
    op.create_index("uq_passkeys_name", "passkeys", ["user_id", sa.func.lower(sa.text("name"))], unique=True)


def downgrade() -> None:
    op.drop_table("used_passkey_challenges")
    op.drop_table("passkeys")
    op.drop_table("recovery_codes")
    op.drop_table("totp")
