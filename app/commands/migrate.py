"""`python -m app migrate`."""

import asyncio

import click

from app.commands.database import move_schema, running_database
from app.config import Settings, load_settings
from app.database import Database
from app.database_problems import DatabaseProblem, owner_address, require_connection
from app.schema import pending_migrations


@click.command("migrate")
@click.option("--to", metavar="REVISION", help="Stop at this revision (0002) instead of applying all.")
@click.option("--down", metavar="REVISION", help="Go back to this revision; `base` removes every table and all data.")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 and name them if migrations are pending.")
@click.option("--yes", is_flag=True, help="Do not ask before going down.")
def migrate_command(to: str | None, down: str | None, check: bool, yes: bool) -> None:
    """Bring the database's schema up to date.

    Connects as the owner (DATABASE_OWNER_URL), creates the role that DATABASE_URL names if it is missing, and grants it
    what the tables call for. A table in use makes it wait and try again; only one process migrates at a time.
    """
    if sum(map(bool, (to, down, check))) > 1:
        raise click.UsageError("Give only one of --to, --down and --check.")
    if down and not yes:
        click.confirm(f"Going down to {down} deletes what later migrations added. Continue?", abort=True)
    with running_database(load_settings()) as settings:
        if not check:
            asyncio.run(move_schema(settings, to=down or to or "head", down=bool(down)))
        pending = asyncio.run(_pending(settings))
    if check and pending:
        raise DatabaseProblem(f"Migrations are pending: {', '.join(pending)}. Run: python -m app migrate")
    click.echo("The schema is up to date." if not pending else f"Not applied: {', '.join(pending)}.")


async def _pending(settings: Settings) -> list[str]:
    url, variable = owner_address(settings)
    database = Database(url)
    try:
        await require_connection(database.engine, variable)
        async with database.engine.connect() as connection:
            return await pending_migrations(connection)
    finally:
        await database.close()
