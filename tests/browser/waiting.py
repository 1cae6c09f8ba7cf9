"""The days that somebody waits who lost every second factor, gone by at once: `python -m tests.browser.waiting <address>`.

It is run with the environment of the server, whose database it finds. The server's clock is not moved: others use it.
"""

import asyncio
import subprocess
import sys
from datetime import timedelta

from sqlalchemy import select, update

from app.accounts.models import Email
from app.commands.database import running_database
from app.config import ROOT, Settings, load_settings
from app.database import Database
from app.jobs.registry import JobContext
from app.two_factor.jobs import tell_lost_access
from app.two_factor.models import LostAccess
from tests.browser.server import Server


def wait_for_removal(server: Server, address: str) -> None:
    """Let the waiting of the person with this address be over, and have them told."""
    command = [sys.executable, "-m", "tests.browser.waiting", address]
    subprocess.run(command, cwd=ROOT, env=server.environment, check=True)


async def _let_days_go_by(settings: Settings, address: str) -> None:
    database = Database(settings.database_url)
    async with database.transaction() as db:
        person = select(Email.user_id).where(Email.address == address).scalar_subquery()
        days = timedelta(days=settings.lost_access_days)
        earlier = {"ready_at": LostAccess.ready_at - days, "told_at": LostAccess.told_at - days}
        statement = update(LostAccess).where(LostAccess.user_id == person).values(**earlier)
        await db.execute(statement.execution_options(unrecorded="Time goes by."))
    await tell_lost_access(JobContext(settings, database))
    await database.close()


if __name__ == "__main__":
    with running_database(load_settings()) as found:
        asyncio.run(_let_days_go_by(found, sys.argv[1]))
