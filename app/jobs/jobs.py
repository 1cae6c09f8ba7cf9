"""Housekeeping."""

from datetime import timedelta

from app import throttle
from app.jobs import actions
from app.jobs.registry import JobContext, job

LOG_KEPT = timedelta(days=14)


@job("jobs.sweep_rate_limits", schedule="*/10 * * * *")
async def sweep_rate_limits(context: JobContext) -> None:
    async with context.database.transaction() as db:
        await throttle.sweep(db)


@job("jobs.trim_log", schedule="43 3 * * *")
async def trim_log(context: JobContext) -> None:
    async with context.database.transaction() as db:
        await actions.trim_log(db, LOG_KEPT)
