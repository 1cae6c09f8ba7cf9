"""`python -m app worker`."""

import asyncio

import click
from prometheus_client import start_http_server

from app.commands.database import running_database
from app.commands.family import Family
from app.config import load_settings
from app.database_problems import require_usable_database
from app.jobs.worker import run_worker
from app.logs import configure_logs
from app.metrics import REGISTRY


@click.command("worker", short_help="Run background jobs.")
@click.option("--reload", is_flag=True, help="Start again whenever a file changes (development).")
def worker_command(reload: bool) -> None:
    """Run background jobs: deliver e-mail, clean up, whatever the features' jobs.py register.

    Run as many as needed, on any number of machines. SIGTERM or Ctrl-C lets the jobs that have begun finish.
    """
    settings = load_settings()
    with running_database(settings) as settings:
        if reload:
            Family({"worker": ["worker"]}).run()
            return
        asyncio.run(require_usable_database(settings))
        configure_logs(settings)
        if settings.metrics_port:
            start_http_server(settings.metrics_port, settings.host, registry=REGISTRY)
        asyncio.run(run_worker(settings))
