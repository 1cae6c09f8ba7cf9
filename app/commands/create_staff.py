"""`python -m app create-staff`."""

import asyncio

import click

from app.accounts import actions
from app.commands.database import running_database
from app.config import Settings, load_settings
from app.database import Database, system_scope
from app.database_problems import require_usable_database
from app.errors import Refusal


@click.command("create-staff", short_help="Make somebody a member of the staff.")
@click.argument("email")
@click.option("--name", help="What the product calls them. Asked for if it is missing.", prompt="Name")
@click.option("--password", help="Asked for if it is missing; on the command line others may see it.")
def create_staff_command(email: str, name: str, password: str | None) -> None:
    """Make the owner of EMAIL a member of the product's staff, with a new account if they have none."""
    password = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with running_database(load_settings()) as settings:
        asyncio.run(require_usable_database(settings))
        try:
            asyncio.run(_create_staff(settings, name=name, email=email, password=str(password)))
        except Refusal as refusal:
            raise click.ClickException(refusal.message) from None
    click.echo(f"{email} is a member of the staff.")


async def _create_staff(settings: Settings, *, name: str, email: str, password: str) -> None:
    database = Database.from_settings(settings)
    try:
        async with database.transaction() as db, system_scope(db):
            await actions.create_staff(db, name=name, email=email, password=password)
    finally:
        await database.close()
