"""Each product under the server that its users run it with, one process for its requests, on the same database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from app.terms import TERMS_VERSION
from benchmarks.environment import ROOT
from benchmarks.pages.company import PEERS_SCHEMA, Company
from benchmarks.under_uvicorn import BACKLOG

HOST = "localhost"
SECRET_KEY = "benchmarks-only-5Vq0Yk3bWm8RzXcTn2LhJd7Pf9GsAe"
SECONDS_TO_START = 60
SECONDS_TO_END = 10
SECONDS_BETWEEN_LOOKS = 0.1


@dataclass(frozen=True)
class Served:
    """Where a product answers, and the process that does."""

    name: str
    port: int
    process: int

    def get(self, path: str, accept: str, cookie: str) -> str:
        """What it answers. Raises HTTPError unless that is a page."""
        headers = {"host": HOST, "accept": accept, "cookie": cookie}
        with urlopen(
            Request(f"http://127.0.0.1:{self.port}{path}", headers=headers), timeout=SECONDS_TO_START
        ) as answer:
            text: str = answer.read().decode()
            return text


@contextmanager
def slipway(application_url: str) -> Iterator[Served]:
    """As `python -m app serve` runs it."""
    with TemporaryDirectory() as folder:
        variables = {
            "ENVIRONMENT": "test",
            "SECRET_KEY": SECRET_KEY,
            "BASE_URL": f"http://{HOST}",
            "DATABASE_URL": application_url,
            "DATA_DIRECTORY": folder,
            "LOG_LEVEL": "error",
            "TRUSTED_PROXIES": "127.0.0.1",
        }
        command = [sys.executable, "-m", "app", "serve", "--descriptor", "{descriptor}"]
        with _serving("slipway", command, variables) as served:
            yield served


@contextmanager
def fastapi(interpreter: Path, company: Company) -> Iterator[Served]:
    """Under uvicorn, with httptools and uvloop."""
    options = ["--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "error"]
    application = "benchmarks.pages.on_fastapi.main:app"
    command = [str(interpreter), "-m", "uvicorn", "--fd", "{descriptor}", *options, application]
    address = company.database.replace("postgresql://", "postgresql+asyncpg://", 1)
    with _serving("fastapi", command, _of_peer(address)) as served:
        yield served


@contextmanager
def django(interpreter: Path, company: Company) -> Iterator[Served]:
    """Under gunicorn, whose one worker has four threads, so that connections are kept alive as everybody's are."""
    options = ["--workers", "1", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "60"]
    application = "benchmarks.pages.on_django.wsgi:application"
    quiet = ["--log-level", "error", "--no-control-socket"]
    command = [str(interpreter), "-m", "gunicorn", "--bind", "fd://{descriptor}", *options, *quiet, application]
    with _serving("django", command, _of_peer(company.database)) as served:
        yield served


def _of_peer(address: str) -> dict[str, str]:
    return {"DATABASE_URL": address, "DATABASE_SCHEMA": PEERS_SCHEMA, "TERMS_VERSION": TERMS_VERSION}


@contextmanager
def _serving(name: str, command: list[str], variables: dict[str, str]) -> Iterator[Served]:
    """Start and end a server on a socket of ours. Connections wait in the backlog until it has started."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(BACKLOG)
        port: int = listener.getsockname()[1]
        descriptor = listener.fileno()
        running = subprocess.Popen(
            [part.replace("{descriptor}", str(descriptor)) for part in command],
            cwd=ROOT,
            env={**os.environ, **variables},
            pass_fds=[descriptor],
            start_new_session=True,
        )
    try:
        yield Served(name, port, _answering(running))
    finally:
        running.terminate()
        try:
            running.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _answering(running: subprocess.Popen[bytes]) -> int:
    """The process that answers: gunicorn's worker, a child of the one that was started."""
    if "gunicorn" not in running.args:  # type: ignore[operator] # the list that it was started with
        return running.pid
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    deadline = time.monotonic() + SECONDS_TO_START
    while not (found := children.read_text().split()):
        if time.monotonic() > deadline:
            raise TimeoutError("gunicorn has started no worker.")
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return int(found[0])
