"""Housekeeping."""

from datetime import timedelta

from app import clock, idempotency, throttle
from app.database import system_scope
from app.jobs import actions
from app.jobs.registry import JobContext, job

LOG_KEPT = timedelta(days=14)
PROGRESS_KEPT = timedelta(days=30)


@job("jobs.sweep_rate_limits", schedule="*/10 * * * *")
async def sweep_rate_limits(context: JobContext) -> None:
    async with context.database.transaction() as db:
        await throttle.sweep(db)


@job("jobs.forget_idempotency_keys", schedule="23 * * * *")
async def forget_idempotency_keys(context: JobContext) -> None:
    async with context.database.transaction() as db, system_scope(db):
        await idempotency.forget_keys(db)


@job("jobs.trim_log", schedule="43 3 * * *")
async def trim_log(context: JobContext) -> None:
    async with context.database.transaction() as db:
        await actions.trim_log(db, LOG_KEPT)


@job("jobs.forget_progress", schedule="51 3 * * *")
async def forget_progress(context: JobContext) -> None:
    async with context.database.transaction() as db:
        await actions.forget_progress(db, before=clock.now() - PROGRESS_KEPT)
