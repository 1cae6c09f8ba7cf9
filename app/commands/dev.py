"""`python -m app dev`."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence

import click

from app.accounts.routes import DEMO_EMAIL, DEMO_PASSWORD
from app.commands.database import move_schema, running_database
from app.commands.family import Family
from app.commands.listening import address_of, listening_socket
from app.commands.seed import seed
from app.config import ROOT, Settings, load_settings


@click.command("dev", short_help="Run the whole product for development: all you need.")
@click.option("--without-worker", is_flag=True, help="Run no worker here, because it runs elsewhere.")
def dev_command(without_worker: bool) -> None:
    """Run the whole product for development: database, migrations, demo data, server and worker.

    Without DATABASE_URL a real PostgreSQL runs in .data/. Saving a file restarts the server and the worker. Ctrl-C stops
    everything; the data stays.
    """
    settings = load_settings()
    if settings.is_production:
        raise click.ClickException(
            "ENVIRONMENT is production. Use `serve` and `worker` there; `dev` is for development."
        )
    with listening_socket(settings) as listener, running_database(settings) as settings:
        listener.set_inheritable(True)
        asyncio.run(_prepare(settings))
        commands = {"server": ["serve", "--descriptor", str(listener.fileno())]}
        if not without_worker:
            commands["worker"] = ["worker"]
        _announce(address_of(listener))
        Family(commands, inherit=[listener.fileno()], before_restart=_apply_new_migrations).run()
    click.echo("Stopped.", err=True)


async def _prepare(settings: Settings) -> None:
    await move_schema(settings)
    await seed(settings)


def _apply_new_migrations(changed: Sequence[str]) -> None:
    """In a process of its own, because this one still has the old code. What fails says why and waits for the next change."""
    if any(name.startswith("migrations") for name in changed):
        subprocess.run([sys.executable, "-m", "app", "migrate"], cwd=ROOT)


def _announce(address: str) -> None:
    click.echo(f"""
  Slipway       {address}
  Mailbox       {address}/dev/mailbox
  Demo log-in   {DEMO_EMAIL} with the password {DEMO_PASSWORD}

  Ctrl-C stops everything. The data stays.
""")
