"""The product as a developer runs it, `python -m app dev` with its own database, for journeys and measurements."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx

from app.commands.lifeline import new_lifeline
from tests.networks import free_port

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 60


@dataclass
class Server:
    """The running product, and what a run remembers of it. `mail()` reads the development mailbox."""

    url: str
    process: subprocess.Popen[bytes]
    # What another process of the same product reads.
    environment: Mapping[str, str] = field(repr=False)
    # The skeletons of the pages in which axe has found nothing.
    accessible: set[str] = field(default_factory=set, repr=False)
    visitors: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def mail(self, address: str) -> list[dict[str, Any]]:
        """Messages to `address`, newest first."""
        messages = httpx.get(f"{self.url}/dev/mailbox.json").raise_for_status().json()
        return [message for message in messages if message["to"] == address]


def start_server(folder: Path) -> Server:
    """Start `python -m app dev` with its data in `folder` and wait until it is ready.

    It believes whoever asks from this machine about the network that they come from, and ends with this process, however
    that ends.
    """
    port = free_port()
    lifeline, known_by = new_lifeline()
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DATABASE_OWNER_URL")
    }
    environment = inherited | {
        "PORT": str(port),
        "DATA_DIRECTORY": str(folder),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "dev"],
            cwd=ROOT,
            env=environment | known_by,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lifeline],
        )
    os.close(lifeline)
    server = Server(f"http://127.0.0.1:{port}", process, environment)
    wait_until_ready(server, folder / "server.log")
    return server


def wait_until_ready(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    stop_server(server)
    raise AssertionError(f"The server did not become ready:\n{log.read_text()}")


def stop_server(server: Server) -> None:
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGINT)
        server.process.wait(timeout=20)
