"""The database that a command works on: the one that the settings name, or the embedded one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from app.config import Settings
from app.database import WORK, Database
from app.database_problems import is_same_role, owner_address, require_connection
from app.database_roles import prepare_application_role
from app.embedded_postgres import OWNER, EmbeddedPostgres
from app.schema import downgrade, upgrade


@contextmanager
def running_database(settings: Settings) -> Iterator[Settings]:
    """The settings with a database that runs. Our processes read its address from the environment, as they always do."""
    if settings.database_url:
        yield settings
        return
    with EmbeddedPostgres(settings.data_directory / "postgres") as server:
        os.environ["DATABASE_URL"] = server.url()
        os.environ["DATABASE_OWNER_URL"] = server.url(OWNER)
        yield replace(settings, database_url=server.url(), database_owner_url=server.url(OWNER))


async def move_schema(settings: Settings, *, to: str = "head", down: bool = False) -> None:
    """Migrate as the owner, then give the application's role the rights on what there is now."""
    url, variable = owner_address(settings)
    database = Database(url, patience=replace(WORK, statement=600))
    try:
        await require_connection(database.engine, variable)
        await (downgrade if down else upgrade)(database.engine, to)
        await prepare_application_role(database.engine, settings.database_url)
    finally:
        await database.close()
    if is_same_role(settings):
        click.echo(
            "Note: DATABASE_URL names the owner's role. Give the application a role of its own (.env.example).",
            err=True,
        )
