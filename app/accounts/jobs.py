"""What the worker does for this feature."""

from app.accounts import retention
from app.jobs.registry import JobContext, job


@job("accounts.forget_claims", schedule="17 3 * * *")
async def forget_claims(context: JobContext) -> None:
    """Delete people who never proved an address."""
    async with context.database.transaction() as db:
        await retention.forget_claims(db)


@job("accounts.forget_sessions", schedule="27 3 * * *")
async def forget_sessions(context: JobContext) -> None:
    """Delete sessions and links that have been over for long."""
    async with context.database.transaction() as db:
        await retention.forget_sessions(db)


@job("accounts.forget_devices", schedule="37 3 * * *")
async def forget_devices(context: JobContext) -> None:
    """Delete half-finished log-ins that are over, and devices whose cookies are."""
    async with context.database.transaction() as db:
        await retention.forget_challenges(db)
        await retention.forget_devices(db)
