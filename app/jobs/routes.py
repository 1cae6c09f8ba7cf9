"""The addresses of work that somebody waits for."""

from app.jobs import handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/jobs/{progress_id:uuid}", handlers.progress, name="jobs.progress"),
    Route("/jobs/{progress_id:uuid}/progress.json", handlers.progress_as_json, name="jobs.progress_as_json"),
]
