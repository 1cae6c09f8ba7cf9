"""Teams: invitations, links and domains by which people join, who may have them, and organizations that change hands or end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from migrations.row_level_security import enable_row_level_security

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
INVITED = (
    "EXISTS (SELECT 1 FROM emails WHERE user_id = current_user_id() AND verified_at IS NOT NULL"
    " AND lower(emails.address) = lower(invitations.address))"
)
OPEN_INVITATION = "accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL"
OPEN_OFFER = "accepted_at IS NULL AND declined_at IS NULL AND withdrawn_at IS NULL"


def tenant(*, primary_key: bool = False) -> sa.Column[object]:
    reference = sa.ForeignKey("organizations.id", ondelete="CASCADE")
    return sa.Column("organization_id", sa.Uuid(), reference, nullable=False, primary_key=primary_key)


def person(
    name: str, *, ondelete: str = "SET NULL", nullable: bool = True, primary_key: bool = False
) -> sa.Column[object]:
    reference = sa.ForeignKey("users.id", ondelete=ondelete)
    return sa.Column(name, sa.Uuid(), reference, nullable=nullable, primary_key=primary_key)


def upgrade() -> None:
    widen_organizations()
    create_ownership_offers()
    create_invitations()
    create_join_links()
    create_joining_by_domain()


def widen_organizations() -> None:
    op.add_column("organizations", sa.Column("delete_at", TIME))
    op.add_column("organizations", sa.Column("second_factor_from", TIME))
    op.add_column("organizations", sa.Column("session_hours", sa.Integer()))
    op.add_column("organizations", sa.Column("allowed_domains", ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.create_check_constraint("delete_at", "organizations", "(status = 'deleting') = (delete_at IS NOT NULL)")
    op.create_check_constraint("session_hours", "organizations", "session_hours BETWEEN 1 AND 336")
    waiting = sa.text("delete_at IS NOT NULL")
    op.create_index("ix_organizations_delete_at", "organizations", ["delete_at"], postgresql_where=waiting)
    op.create_index(
        "ix_memberships_organization_id_joined_at_user_id", "memberships", ["organization_id", "joined_at", "user_id"]
    )


def create_ownership_offers() -> None:
    op.create_table(
        "ownership_offers",
        sa.Column("id", sa.Uuid(), primary_key=True),
        tenant(),
        sa.Column("from_user_id", sa.Uuid(), nullable=False),
        sa.Column("to_user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("accepted_at", TIME),
        sa.Column("declined_at", TIME),
        sa.Column("withdrawn_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("from_user_id <> to_user_id", name="people"),
    )
    for name in ("from_user_id", "to_user_id"):
        op.create_foreign_key(
            op.f(f"fk_ownership_offers_organization_id_{name}_memberships"),
            "ownership_offers",
            "memberships",
            ["organization_id", name],
            ["organization_id", "user_id"],
            ondelete="CASCADE",
        )
    op.create_index(
        "uq_ownership_offers_open",
        "ownership_offers",
        ["organization_id"],
        unique=True,
        postgresql_where=sa.text(OPEN_OFFER),
    )
    enable_row_level_security(op, "ownership_offers")


def create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), primary_key=True),
        tenant(),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, unique=True),
        person("invited_by"),
        sa.Column("message", sa.Text()),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("accepted_at", TIME),
        person("accepted_by"),
        sa.Column("declined_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.Column("sent_count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("last_sent_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("char_length(message) <= 1000", name="message_length"),
    )
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["organization_id", sa.text("lower(address)")],
        unique=True,
        postgresql_where=sa.text(OPEN_INVITATION),
    )
    op.create_index(
        "ix_invitations_organization_id_created_at_id", "invitations", ["organization_id", "created_at", "id"]
    )
    op.create_index("ix_invitations_address", "invitations", [sa.text("lower(address)")])
    enable_row_level_security(op, "invitations", also_visible=INVITED)


def create_join_links() -> None:
    op.create_table(
        "join_links",
        sa.Column("id", sa.Uuid(), primary_key=True),
        tenant(),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("ending", sa.Text(), nullable=False),
        person("created_by"),
        sa.Column("domain", sa.Text()),
        sa.Column("max_uses", sa.Integer()),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("max_uses > 0 AND uses <= max_uses", name="uses"),
    )
    op.create_index("ix_join_links_organization_id", "join_links", ["organization_id"])
    enable_row_level_security(op, "join_links")


def create_joining_by_domain() -> None:
    op.create_table(
        "join_domains",
        tenant(primary_key=True),
        sa.Column("domain", sa.Text(), primary_key=True),
        sa.Column("asks", sa.Boolean(), nullable=False),
        person("created_by"),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("domain = lower(domain)", name="domain"),
    )
    op.create_index("ix_join_domains_domain", "join_domains", ["domain"])
    enable_row_level_security(op, "join_domains")
    op.create_table(
        "join_requests",
        tenant(primary_key=True),
        person("user_id", ondelete="CASCADE", nullable=False, primary_key=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_join_requests_user_id", "join_requests", ["user_id"])
    enable_row_level_security(op, "join_requests", also_visible="user_id = current_user_id()")


def downgrade() -> None:
    for table in ("join_requests", "join_domains", "join_links", "invitations", "ownership_offers"):
        op.drop_table(table)
    op.drop_index("ix_memberships_organization_id_joined_at_user_id", "memberships")
    op.drop_index("ix_organizations_delete_at", "organizations")
    op.drop_constraint(op.f("ck_organizations_session_hours"), "organizations")
    op.drop_constraint(op.f("ck_organizations_delete_at"), "organizations")
    for column in ("allowed_domains", "session_hours", "second_factor_from", "delete_at"):
        op.drop_column("organizations", column)
