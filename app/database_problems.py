"""What can be wrong with a database before the first query, in sentences with the way out."""

import asyncio
import socket

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.config import Settings
from app.database import Database
from app.database_roles import find_unsafe_right
from app.problems import OperatorProblem
from app.schema import pending_migrations

PATIENCE_SECONDS = 10


class DatabaseProblem(OperatorProblem):
    """The database cannot be used; the message says why and what to do."""


async def require_usable_database(settings: Settings) -> None:
    """Check what `serve` and `worker` need, before they begin. Raises DatabaseProblem.

    In production the role must also be bound by row-level security.
    """
    database = Database.from_settings(settings)
    try:
        await require_connection(database.engine, "DATABASE_URL")
        async with database.engine.connect() as connection:
            await _require_migrations(connection)
            if settings.is_production:
                await _require_bound_role(connection)
    finally:
        await database.close()


async def require_connection(engine: AsyncEngine, variable: str) -> None:
    """Raises DatabaseProblem if the address that `variable` gave leads to no database."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), engine.connect():
            return
    except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = _reason(error)
    url = engine.url.render_as_string(hide_password=True).replace("+asyncpg", "")
    raise DatabaseProblem(
        f"The database {url} cannot be used: {reason}. Correct {variable}, or start the database; "
        "in development, leave it out and an embedded PostgreSQL runs."
    )


def _reason(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    cause = cause.__cause__ if isinstance(cause.__cause__, asyncpg.PostgresError) else cause
    match cause:
        case TimeoutError():
            return f"no answer within {PATIENCE_SECONDS} seconds"
        case ConnectionRefusedError():
            return "nothing listens at that address"
        case socket.gaierror():
            return "no host of that name is known"
        case asyncpg.InvalidPasswordError():
            return "it refuses the user or the password"
        case asyncpg.InvalidCatalogNameError():
            return "the server has no database of that name"
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")


async def _require_migrations(connection: AsyncConnection) -> None:
    pending = await pending_migrations(connection)
    if pending:
        noun = "migration is" if len(pending) == 1 else "migrations are"
        raise DatabaseProblem(f"{len(pending)} {noun} pending ({', '.join(pending)}). Run: python -m app migrate")


async def _require_bound_role(connection: AsyncConnection) -> None:
    if right := await find_unsafe_right(connection):
        raise DatabaseProblem(
            f"{right}, which would let one organization read another's rows if the code ever made a mistake. "
            "Name an ordinary role there, the owner in DATABASE_OWNER_URL, and run: python -m app migrate"
        )


def owner_address(settings: Settings) -> tuple[str, str]:
    """The address that migrations use, and the variable that gave it."""
    if settings.database_owner_url:
        return settings.database_owner_url, "DATABASE_OWNER_URL"
    return settings.database_url, "DATABASE_URL"


def is_same_role(settings: Settings) -> bool:
    """Whether the application runs as the owner, so that nobody but FORCE ROW LEVEL SECURITY keeps the tenants apart."""
    return make_url(owner_address(settings)[0]).username == make_url(settings.database_url).username
