"""One try of one job: counted, limited in time, retried later when it fails, held for a person after the last try."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

import structlog
from pgqueuer import RetryRequested
from pgqueuer.executors import AbstractEntrypointExecutor
from pgqueuer.models import Context, Job
from pgqueuer.ports.driver import Driver

from app.jobs.queries import count_attempts, forget_attempt
from app.jobs.registry import JobContext, RegisteredJob, RetryLater
from app.metrics import note_job

log = structlog.get_logger(__name__)

AT_ONCE = timedelta(0)


class WorkerKeptDying(Exception):
    """The job began as often as it may and never came to an end: it seems to kill the process that runs it."""


class Executions:
    """What a worker is running at this moment, and the end of its patience."""

    def __init__(self) -> None:
        self.is_handing_back = False
        self._running: set[asyncio.Task[None]] = set()

    def add(self, task: asyncio.Task[None]) -> None:
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def hand_back(self) -> None:
        """Interrupt what runs, and have each job put back into the queue for another worker."""
        self.is_handing_back = True
        self.cancel()

    def cancel(self) -> None:
        for task in self._running:
            task.cancel()


@dataclass
class JobExecution(AbstractEntrypointExecutor):
    """What PgQueuer calls for each job of one kind."""

    job: RegisteredJob
    context: JobContext
    driver: Driver
    backoff: Callable[[int], timedelta]
    executions: Executions

    async def execute(self, job: Job, context: Context) -> None:
        """Run the job once. Raises RetryRequested to have it again later; any other exception holds it."""
        self.executions.add(cast("asyncio.Task[None]", asyncio.current_task()))
        with structlog.contextvars.bound_contextvars(job=self.job.name, job_id=job.id, **_trace(job)):
            try:
                await self._begin(job)
            except asyncio.CancelledError:
                if not self.executions.is_handing_back:
                    raise
                await self._hand_back(job)

    async def _begin(self, job: Job) -> None:
        attempt = await count_attempts(self.driver, job.id)
        if attempt > self.job.attempts:
            raise WorkerKeptDying(f"{self.job.name} was begun {attempt - 1} times and never finished.")
        await self._attempt(attempt, job.payload or b"")

    async def _attempt(self, attempt: int, payload: bytes) -> None:
        context = replace(self.context, attempt=attempt, attempts=self.job.attempts)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.job.deadline.total_seconds()):
                await self.job.run(context, payload)
        except Exception as error:
            outcome = "held" if context.is_last_attempt else "failed"
            note_job(self.job.name, outcome, time.perf_counter() - started)
            self._refuse(context, error)
        seconds = time.perf_counter() - started
        note_job(self.job.name, "done", seconds)
        log.info("job.done", attempt=attempt, milliseconds=round(seconds * 1000, 1))

    def _refuse(self, context: JobContext, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        if context.is_last_attempt:
            log.error("job.held", attempt=context.attempt, reason=reason)
            raise error
        delay = self.backoff(context.attempt)
        if isinstance(error, RetryLater):
            delay = max(delay, error.after)
        log.warning("job.failed", attempt=context.attempt, reason=reason, retry_in=delay.total_seconds())
        raise RetryRequested(delay=delay, reason=reason) from error

    async def _hand_back(self, job: Job) -> None:
        """The worker stops and cannot wait: somebody else begins the job again, and this try is not counted."""
        await forget_attempt(self.driver, job.id)
        log.warning("job.handed_back")
        raise RetryRequested(delay=AT_ONCE, reason="The worker stopped.")


def _trace(job: Job) -> dict[str, object]:
    return {"request_id": job.headers["request_id"]} if job.headers and "request_id" in job.headers else {}
