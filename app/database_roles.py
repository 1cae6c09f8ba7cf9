"""The two database roles: the owner, who migrates, and the application, who only reads and writes rows.

The application's role is no superuser, owns nothing, has no DDL and cannot bypass row-level security.
"""

from sqlalchemy import URL, Table, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.database import Base
from app.features import import_models
from app.schema import SchemaError
from app.scram import scram_verifier

ALL_ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
INSUFFICIENT_PRIVILEGE = "42501"


async def prepare_application_role(owner: AsyncEngine, application_url: str) -> None:
    """Create the role of `application_url` if it is missing, and give it exactly the rights that the tables call for.

    Run after every migration. Raises SchemaError if the owner may not create roles.
    """
    address = make_url(application_url)
    if address.username is None or address.username == owner.url.username:
        return
    async with owner.begin() as connection:
        quote = connection.dialect.identifier_preparer.quote_identifier
        await _create_role(connection, address, quote(address.username))
        await _grant(connection, quote(address.username), quote(str(owner.url.database)))


async def _create_role(connection: AsyncConnection, address: URL, role: str) -> None:
    exists = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :name)"
    if await connection.scalar(text(exists), {"name": address.username}):
        return
    rights = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"
    password = f" PASSWORD '{scram_verifier(str(address.password))}'" if address.password else ""
    try:
        await connection.exec_driver_sql(f"CREATE ROLE {role} {rights}{password}")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise SchemaError(
            f"The owner may not create the application's role {role}. Create it as an administrator: "
            f"CREATE ROLE {role} {rights} PASSWORD '…'; then migrate again."
        ) from None


async def _grant(connection: AsyncConnection, role: str, database: str) -> None:
    """All in one transaction, so that a running application never misses a right that it keeps."""
    import_models()
    run = connection.exec_driver_sql
    await run(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    await run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    await run(f"GRANT USAGE ON SCHEMA public TO {role}")
    await run(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    for table in await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")):
        quoted = connection.dialect.identifier_preparer.quote_identifier(table)
        await run(f"REVOKE ALL ON TABLE {quoted} FROM {role}")
        await run(f"GRANT {', '.join(privileges_on(table))} ON TABLE {quoted} TO {role}")


def privileges_on(name: str) -> tuple[str, ...]:
    """What the application may do with the rows of a table. A table without a model here (a queue's) is fully its own."""
    if name == "alembic_version":
        return ("SELECT",)
    table: Table | None = Base.metadata.tables.get(name)
    return ALL_ROWS if table is None else tuple(table.info.get("privileges", ALL_ROWS))


async def find_unsafe_right(connection: AsyncConnection) -> str | None:
    """The reason why row-level security would not bind the connected role, or None."""
    found = await connection.execute(
        text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    )
    role = found.one()
    if role.rolsuper:
        return f"The role {role.rolname} of DATABASE_URL is a superuser"
    if role.rolbypassrls:
        return f"The role {role.rolname} of DATABASE_URL has BYPASSRLS"
    return None
