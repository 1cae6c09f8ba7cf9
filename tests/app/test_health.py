"""What machines ask: alive, ready, about to end, and the figures."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest

from app.config import ROOT, Settings
from app.drain import Drain
from app.main import create_app
from app.metrics import SHARED_FOLDER, exposition, note_email, note_job
from core.applications import Starlette
from core.datastructures import Secret
from core.testclient import AsyncTestClient
from tests.databases import RolledBackDatabase

TOKEN = "figures-for-the-one-who-has-this"


@pytest.mark.requirement("REL-16")
async def test_rel_16_a_process_that_is_about_to_end_is_alive_but_not_ready_and_keeps_no_connection(
    client: AsyncTestClient, app: Starlette
) -> None:
    assert "connection" not in (await client.get("/")).headers
    app.state.drain.has_begun = True

    ready, alive, page = [await client.get(path) for path in ("/readyz", "/healthz", "/")]

    assert (ready.status_code, alive.status_code, page.status_code) == (503, 200, 200)
    assert "about to end" in ready.json()["reason"]
    assert {answer.headers["connection"] for answer in (ready, alive, page)} == {"close"}


@contextmanager
def server_that_notes_signals(noted: list[float]) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(loop.time())

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def until(noted: list[float], number: int) -> None:
    async with asyncio.timeout(10):
        while len(noted) < number:
            await asyncio.sleep(0.005)


async def test_the_server_hears_of_the_signal_after_the_pause() -> None:
    noted: list[float] = []
    drain = Drain(seconds=0.2)
    with server_that_notes_signals(noted), drain.begun_by_sigterm():
        began = asyncio.get_running_loop().time()
        signal.raise_signal(signal.SIGTERM)
        assert drain.has_begun
        await until(noted, 1)

    assert noted[0] - began >= 0.19


async def test_the_server_hears_of_a_second_signal_at_once() -> None:
    noted: list[float] = []
    with server_that_notes_signals(noted), Drain(seconds=600).begun_by_sigterm():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        await until(noted, 1)


@pytest.fixture
async def measured_client(settings: Settings, database: RolledBackDatabase) -> AsyncIterator[AsyncTestClient]:
    changed = replace(settings, metrics_token=Secret(TOKEN), metrics_networks=("10.1.0.0/16",))
    async with AsyncTestClient(create_app(changed, database=database), base_url=settings.base_url) as client:
        yield client


async def test_the_figures_are_by_route_and_not_by_path(measured_client: AsyncTestClient) -> None:
    await measured_client.get("/o/a-path-of-its-own")
    await measured_client.get("/nowhere/at-all")

    answer = await measured_client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}", "host": "10.2.3.4"})

    assert answer.headers["content-type"].startswith("text/plain")
    assert re.search(
        r'slipway_request_seconds_count\{method="GET",route="/o/\{slug\}[^"]*",status="\dxx"\}', answer.text
    )
    assert 'route="none",status="4xx"' in answer.text
    assert "of-its-own" not in answer.text
    assert "at-all" not in answer.text


def test_jobs_and_mail_are_counted_by_name_and_outcome() -> None:
    for seconds in (0.1, 0.3):
        note_job("tests.counted", "done", seconds)
    note_email("tests", "failed")

    figures = exposition().decode()

    assert 'slipway_job_seconds_count{job="tests.counted",outcome="done"} 2.0' in figures
    assert 'slipway_email_total{outcome="failed",provider="tests"} 1.0' in figures


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}])
async def test_nobody_else_learns_that_there_are_figures(
    measured_client: AsyncTestClient, client: AsyncTestClient, headers: dict[str, str]
) -> None:
    assert (await measured_client.get("/metrics", headers=headers)).status_code == 404
    assert (await client.get("/metrics", headers={"authorization": "Bearer "})).status_code == 404


async def test_a_network_may_be_allowed(settings: Settings, database: RolledBackDatabase) -> None:
    changed = replace(settings, metrics_networks=("10.1.0.0/16",))
    for address, status in (("10.1.2.3", 200), ("10.2.2.3", 404)):
        app = create_app(changed, database=database)
        async with AsyncTestClient(app, base_url=settings.base_url, client=(address, 1234)) as client:
            assert (await client.get("/metrics")).status_code == status


def test_processes_that_share_a_folder_answer_for_each_other(tmp_path: Path) -> None:
    note = "from app import metrics; metrics.note_request('GET', '/shared', 200, 0.1); print(metrics.exposition().decode())"
    environment = {**os.environ, SHARED_FOLDER: str(tmp_path)}
    figures = [
        subprocess.run([sys.executable, "-c", note], cwd=ROOT, env=environment, capture_output=True, text=True).stdout
        for _ in range(2)
    ]

    for number, printed in enumerate(figures, 1):
        assert f'slipway_request_seconds_count{{method="GET",route="/shared",status="2xx"}} {number}.0' in printed
