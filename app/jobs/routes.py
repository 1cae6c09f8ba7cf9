"""The addresses of work that somebody waits for."""

from app.jobs import api, handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/jobs/{progress_id:uuid}", handlers.progress, name="jobs.progress"),
    Route("/api/v1/jobs/{job_id:uuid}", api.show_job, name="jobs.show_job"),
]
