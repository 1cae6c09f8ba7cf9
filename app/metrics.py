"""Figures for Prometheus: requests by route, jobs by name, e-mail by provider, places in the pool, stalls of the loop.

Labels are names that the code gives (a route's template, never a path), so that no client can make their number grow. Several
server processes on one machine share a folder (`serve --workers` makes it and names it in PROMETHEUS_MULTIPROC_DIR before they
start); whichever is asked answers for all of them.
"""

import os
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Seconds. A page is between 5 ms and 100 ms; what takes longer than the last one is down.
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
JOB_SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0)

REGISTRY = CollectorRegistry()
_requests = Histogram(
    "slipway_request_seconds",
    "Time until a request was answered.",
    ["method", "route", "status"],
    buckets=REQUEST_SECONDS,
    registry=REGISTRY,
)
_jobs = Histogram(
    "slipway_job_seconds", "Time of one try of a job.", ["job", "outcome"], buckets=JOB_SECONDS, registry=REGISTRY
)
_mail = Counter("slipway_email", "Messages handed to a provider.", ["provider", "outcome"], registry=REGISTRY)
_pool = Gauge(
    "slipway_database_connections_in_use",
    "Connections that somebody works on.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
_stalls = Counter("slipway_loop_stalls", "Times that the event loop stood still.", registry=REGISTRY)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def note_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count an answer. `route` is the template that matched, None where none did."""
    _request_series(method if method in METHODS else "other", route or "none", status // 100).observe(seconds)


@lru_cache(maxsize=4096)
def _request_series(method: str, route: str, status_class: int) -> Histogram:
    return _requests.labels(method, route, f"{status_class}xx")


def note_job(name: str, outcome: str, seconds: float) -> None:
    """Count a try of a job: `done`, `failed` (there will be another) or `held`."""
    _jobs.labels(name, outcome).observe(seconds)


def note_email(provider: str, outcome: str) -> None:
    """Count a message: `sent`, `failed` (there will be another try) or `refused`."""
    _mail.labels(provider, outcome).inc()


def note_stall() -> None:
    """Count a time that the event loop stood still."""
    _stalls.inc()


def watch_pool(engine: AsyncEngine) -> None:
    """Count the connections that are out of the engine's pool."""
    event.listen(engine.sync_engine, "checkout", lambda *_: _pool.inc())
    event.listen(engine.sync_engine, "checkin", lambda *_: _pool.dec())


def exposition() -> bytes:
    """All figures in Prometheus's text format, of all processes that share the folder."""
    if SHARED_FOLDER not in os.environ:
        return bytes(generate_latest(REGISTRY))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return bytes(generate_latest(registry))
