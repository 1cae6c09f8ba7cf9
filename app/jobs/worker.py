"""The worker: takes due jobs from PostgreSQL and runs them, many at once, in as many processes as needed.

A worker holds a job by a lease that it renews while the job runs. When the worker dies, the lease runs out by the
database's clock and another worker starts the job again, so a job runs at least once, and is never lost.
"""

import asyncio
import random
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer import AsyncpgDriver, PgQueuer
from pgqueuer.errors import FailingListenerError
from pgqueuer.types import QueueExecutionMode

from app.config import Settings
from app.database import Database
from app.jobs.execution import Executions, JobExecution
from app.jobs.registry import JobContext, RegisteredJob, registered_jobs
from app.jobs.schedules import attach_schedule, forget_earlier_schedules

log = structlog.get_logger(__name__)

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=1)
LEASE = timedelta(seconds=30)
# How long a worker that was told to stop waits for its jobs; what is not done then goes back into the queue.
PATIENCE = timedelta(seconds=20)
# New jobs wake the worker by NOTIFY; one that became due again after a failure is found by looking.
LOOK_EVERY = timedelta(seconds=5)
CONCURRENT_JOBS = 10
LONGEST_RECONNECT = 30.0  # Seconds between two attempts to reach the database.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class QueueConnectionLost(Exception):
    """The database closed the connection on which the worker takes jobs."""


CONNECTION_LOST = (
    QueueConnectionLost,
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    FailingListenerError,
)

Backoff = Callable[[int], timedelta]


async def run_worker(settings: Settings) -> None:
    """Run jobs until SIGTERM or SIGINT. Jobs that have begun are finished, or handed back after `PATIENCE`."""
    database = Database.from_settings(settings)
    worker = Worker(settings, database)
    try:
        with stopped_by_signals(worker):
            await worker.run()
    finally:
        await database.close()


def exponential_backoff(attempt: int) -> timedelta:
    """How long to wait after the failed `attempt` (from 1): doubled each time, at most an hour.

    Up to half of it is taken off at random, so that jobs which failed together do not come back together.
    """
    doublings = min(attempt - 1, 20)
    longest = min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 (spreads load, guards nothing)


class Worker:
    """Runs the registered jobs, or exactly those given, on one connection for the queue and the database's pool for work."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        jobs: Iterable[RegisteredJob] | None = None,
        backoff: Backoff = exponential_backoff,
        lease: timedelta = LEASE,
        look_every: timedelta = LOOK_EVERY,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._settings = settings
        self._database = database
        self._jobs = list(registered_jobs().values() if jobs is None else jobs)
        self._backoff = backoff
        self._lease = lease
        self._look_every = look_every
        self._patience = patience
        self._stopping = asyncio.Event()
        self._queuer: PgQueuer | None = None
        self._executions = Executions()

    def stop(self) -> None:
        """Take no more jobs; `run` returns when those that have begun are done, or handed back to the queue."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        asyncio.get_running_loop().call_later(self._patience.total_seconds(), self._executions.hand_back)
        if self._queuer:
            self._queuer.shutdown.set()

    async def run(self) -> None:
        """Run jobs until `stop`, across losses of the database connection."""
        failures = 0
        log.info("worker.started", jobs=sorted(job.name for job in self._jobs))
        while not self._stopping.is_set():
            try:
                await self._serve(QueueExecutionMode.continuous)
                failures = 0
            except CONNECTION_LOST as error:
                failures += 1
                log.warning("worker.connection_lost", error=repr(error))
                await self._pause(min(0.5 * 2 ** min(failures, 10), LONGEST_RECONNECT))
        log.info("worker.stopped")

    async def drain(self) -> None:
        """Run what is due, retries included, and return when the queue is empty: for scripts and tests."""
        await self._serve(QueueExecutionMode.drain)

    async def _serve(self, mode: QueueExecutionMode) -> None:
        async with self._database.engine.connect() as connection:
            # PgQueuer listens on this connection and commits for itself, so it gets it raw, and nobody else ever does.
            raw = (await connection.get_raw_connection()).driver_connection
            try:
                await self._work_on(raw, mode)
            finally:
                self._queuer = None
                await connection.invalidate()

    async def _work_on(self, connection: asyncpg.Connection, mode: QueueExecutionMode) -> None:
        self._queuer = queuer = PgQueuer(AsyncpgDriver(connection))
        await forget_earlier_schedules(queuer.connection, self._jobs)
        for job in self._jobs:
            self._attach(queuer, job)
        if self._stopping.is_set():
            return
        running = asyncio.ensure_future(
            queuer.run(
                dequeue_timeout=self._look_every,
                mode=mode,
                batch_size=CONCURRENT_JOBS // 2,
                max_concurrent_tasks=CONCURRENT_JOBS,
                heartbeat_timeout=self._lease,
                shutdown_on_listener_failure=True,
            )
        )
        connection.add_termination_listener(lambda _: self._abandon(running))
        try:
            await running
        except asyncio.CancelledError:
            if connection.is_closed():
                raise QueueConnectionLost from None
            raise

    def _abandon(self, running: asyncio.Task[None]) -> None:
        """Stop everything at once. Without the connection no lease is renewed: what runs here is about to run elsewhere."""
        self._executions.cancel()
        running.cancel()

    def _attach(self, queuer: PgQueuer, job: RegisteredJob) -> None:
        """Tell PgQueuer of the job: its limit, what runs it, and its schedule."""
        queuer.entrypoint(
            job.name,
            concurrency_limit=job.concurrency,
            on_failure="hold",
            executor_factory=lambda parameters: JobExecution(
                parameters, job, self._context, queuer.connection, self._backoff, self._executions
            ),
        )(_runs_through_its_execution)
        if job.schedule:
            attach_schedule(queuer, job, job.schedule)

    @property
    def _context(self) -> JobContext:
        return JobContext(self._settings, self._database)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


async def _runs_through_its_execution(job: object) -> None:
    raise NotImplementedError("PgQueuer calls JobExecution.execute instead.")


@contextmanager
def stopped_by_signals(worker: Worker) -> Iterator[None]:
    """SIGTERM and SIGINT stop the worker instead of the process, within the block."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, worker.stop)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
