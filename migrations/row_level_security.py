"""The second wall between organizations: PostgreSQL itself shows a transaction only the rows of the tenant it named.

Each transaction names its organization and user by settings that end with it (`app.database`); the functions made by
migration 0001 read them. With nothing named, a protected table looks empty and takes no rows.
"""

from alembic.operations import Operations


def enable_row_level_security(
    op: Operations, table: str, *, column: str = "organization_id", also_visible: str | None = None
) -> None:
    """Protect `table`, whose `column` names the organization that owns the row, for its owner too (FORCE).

    `also_visible` is an SQL condition under which rows may be read, never written, without their organization being
    named: `user_id = current_user_id()` shows people their own memberships.
    """
    owned = f"{column} = current_organization_id() OR is_system()"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({owned}) WITH CHECK ({owned})")
    if also_visible:
        op.execute(f"CREATE POLICY visible ON {table} FOR SELECT USING ({also_visible})")
