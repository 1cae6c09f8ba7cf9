"""Workers that start at once: this process imports everything, then forks one for each line of its standard input.

    python -m tests.drills.nursery <database URL>

It answers each line with the new worker's process id. Workers run the job `drills.take_effect` alone, with a short lease.
"""

import asyncio
import os
import random
import signal
import sys
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from app.config import load_settings
from app.database import Database
from app.jobs.registry import JobContext, get_job, job
from app.jobs.worker import Worker
from tests.conftest import SECRET_KEY

ATTEMPTS = 1000  # Being killed counts as an attempt, and here that happens all the time.
LEASE = timedelta(seconds=1)
LOOK_EVERY = timedelta(milliseconds=200)


@job("drills.take_effect", attempts=ATTEMPTS)
async def take_effect(context: JobContext, *, number: int) -> None:
    """Note the try by itself; then, in one transaction under the job's own key, what it is for."""
    async with context.database.transaction() as db:
        await db.execute(text("INSERT INTO drill_tries VALUES (:number)"), {"number": number})
    await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311 (so that death finds them everywhere)
    async with context.database.transaction() as db:
        effect = "INSERT INTO drill_effects VALUES (:number) ON CONFLICT DO NOTHING RETURNING number"
        is_new = (await db.execute(text(effect), {"number": number})).first() is not None
        if is_new:
            await db.execute(text("INSERT INTO drill_consequences VALUES (:number)"), {"number": number})


async def work(url: str) -> None:
    settings = load_settings({"ENVIRONMENT": "test", "SECRET_KEY": SECRET_KEY, "DATABASE_URL": url})
    jobs = [replace(get_job("drills.take_effect"), attempts=ATTEMPTS)]
    worker = Worker(
        settings,
        Database(url, pool_size=4),
        jobs=jobs,
        backoff=lambda attempt: timedelta(milliseconds=100),
        lease=LEASE,
        look_every=LOOK_EVERY,
    )
    await worker.run()


def main(url: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody asks how they ended.
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            for descriptor in (0, 1):  # Our pipes are no business of the workers.
                os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
            asyncio.run(work(url))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
