"""Jobs that are due by the clock: once over all workers, and once, late, after a time in which no worker ran."""

from collections.abc import Iterable

from pgqueuer import PgQueuer
from pgqueuer.models import Schedule
from pgqueuer.ports.driver import Driver

from app.jobs.registry import RegisteredJob

# PgQueuer's own `clean_old` also deletes the row that says when the job was due, and with it what was missed.
FORGET_EARLIER = "DELETE FROM pgqueuer_schedules WHERE entrypoint = $1 AND expression <> $2"


async def forget_earlier_schedules(driver: Driver, jobs: Iterable[RegisteredJob]) -> None:
    """Delete what earlier versions of the product scheduled otherwise."""
    for job in jobs:
        if job.schedule:
            await driver.execute(FORGET_EARLIER, job.name, job.schedule)


def attach_schedule(queuer: PgQueuer, job: RegisteredJob, expression: str) -> None:
    """Have PgQueuer put the job into the queue whenever it is due by the database's clock."""

    async def enqueue(schedule: Schedule) -> None:
        # A scheduled run is an ordinary job: retried, held on failure, and never twice in the queue.
        await queuer.qm.queries.enqueue(job.name, b"{}", dedupe_key=f"schedule:{job.name}", on_conflict="skip")

    queuer.schedule(job.name, expression)(enqueue)
