"""How Alembic reaches the database: on the connection that `app.schema` gives, or at the address of the owner."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection

from app.config import load_settings
from app.database import Base, Database
from app.features import import_models


def run_migrations(connection: Connection) -> None:
    import_models()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=is_ours,
        # Each migration stands alone: what was applied before a failing one stays applied.
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def is_ours(item: object, name: str | None, kind: str, reflected: bool, compared_to: Any) -> bool:
    """PgQueuer's tables come from its own DDL and have no models here."""
    return not (kind == "table" and reflected and (name or "").startswith("pgqueuer"))


async def connect_and_run() -> None:
    """For the bare `alembic` command (`alembic revision --autogenerate`); everything else goes through `app.schema`."""
    settings = load_settings()
    database = Database(settings.database_owner_url or settings.database_url, statement_seconds=600)
    try:
        async with database.engine.connect() as connection:
            await connection.run_sync(run_migrations)
    finally:
        await database.close()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run_migrations(given)
else:
    asyncio.run(connect_and_run())
