"""`python -m app seed`."""

import asyncio

import click

from app import features
from app.commands.database import running_database
from app.config import Settings, load_settings
from app.database import Database, system_scope
from app.database_problems import require_usable_database


@click.command("seed", short_help="Add the demonstration's data.")
def seed_command() -> None:
    """Add the demonstration's people and organizations, where they are missing.

    Every feature may have a function `seed(db)` in its routes.py. Running it again changes nothing.
    """
    settings = load_settings()
    if settings.is_production:
        raise click.ClickException("The demonstration's log-in is known to everybody; it is refused in production.")
    with running_database(settings) as settings:
        asyncio.run(require_usable_database(settings))
        asyncio.run(seed(settings))
    click.echo("The demo data is there.")


async def seed(settings: Settings) -> None:
    """Run every feature's `seed`, all in one transaction."""
    database = Database.from_settings(settings)
    try:
        async with database.transaction() as db, system_scope(db):
            for _, routes in features.modules("routes"):
                if hasattr(routes, "seed"):
                    await routes.seed(db)
    finally:
        await database.close()
