"""`python -m app invite-from-waitlist`."""

import asyncio

import click

from app.commands.database import running_database
from app.config import Settings, load_settings
from app.database import Database
from app.database_problems import require_usable_database
from app.waitlist import actions


@click.command("invite-from-waitlist", short_help="Let people in who wait for a place.")
@click.argument("count", type=click.IntRange(1, 1000), default=1)
def invite_from_waitlist_command(count: int) -> None:
    """Mail a link that lets them sign up to the COUNT people who have waited longest."""
    with running_database(load_settings()) as settings:
        asyncio.run(require_usable_database(settings))
        invited = asyncio.run(_invite(settings, count))
    for address in invited:
        click.echo(address)
    click.echo(f"{len(invited)} invited." if invited else "Nobody is waiting.")


async def _invite(settings: Settings, count: int) -> list[str]:
    database = Database.from_settings(settings)
    try:
        async with database.transaction() as db:
            return await actions.invite_from_waitlist(db, settings, count=count)
    finally:
        await database.close()
