"""A worker process that is killed by the job it runs, as by the kernel when memory is short."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta

from app.config import load_settings
from app.database import Database
from app.jobs.registry import JobContext, get_job, job
from app.jobs.worker import Worker


@job("tests.worked_on")
async def die(context: JobContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(url: str) -> None:
    settings = load_settings({"ENVIRONMENT": "test", "SECRET_KEY": "x" * 64, "DATABASE_URL": url})
    jobs = [replace(get_job("tests.worked_on"), attempts=9)]
    await Worker(settings, Database(url), jobs=jobs, lease=timedelta(seconds=1)).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
