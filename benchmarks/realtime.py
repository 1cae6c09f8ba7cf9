"""`python -m benchmarks.realtime`: how soon a thousand listeners hear of an event, and what an idle connection weighs.

A server process of the product (uvicorn, websockets without compression, the production middleware) on an embedded PostgreSQL,
and one process of light clients on the same machine. A busy machine shows in the times; the server's CPU time for a message
that it delivers hardly depends on what else runs.
"""

import asyncio
import gc
import os
import resource
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from app.accounts.actions import create_verified_user, start_session
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.database import Database, system_scope
from app.organizations.actions import create_team
from app.organizations.models import Membership
from app.policy import Role
from app.publishing import publish
from benchmarks.light_listener import LightListener, new_loop
from tests.databases import DatabaseServer, database_server, new_database_name

ROOT = Path(__file__).parent.parent
EACH = 25  # Connections of one person; the product allows 30.
AT_A_TIME = 20
WARM_UP = 3  # Events that are not counted.


@dataclass(frozen=True)
class Crowd:
    """The sessions of enough people, and the topic that all of them may follow."""

    tokens: list[str]
    topic: str


@click.command()
@click.option("--listeners", default=1000, show_default=True, help="Connections that hear each event.")
@click.option("--idle", default=5000, show_default=True, help="Connections whose memory is measured.")
@click.option("--events", default=50, show_default=True, help="Events whose delivery is timed.")
def main(listeners: int, idle: int, events: int) -> None:
    """Measure the fan-out and the memory of connections."""
    _allow_open_files(idle * 2 + 1000)
    with database_server() as server, TemporaryDirectory() as folder, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_measure(server, Path(folder), listeners, idle, events))


async def _measure(server: DatabaseServer, folder: Path, listeners: int, idle: int, events: int) -> None:
    await server.create_template()
    name = new_database_name(server)
    await server.create_database(name)
    database = Database(server.application_url(name))
    crowd = await _crowd(database, max(listeners, idle) // EACH + 1)
    with (
        closing(socket.create_server(("127.0.0.1", 0), backlog=1024)) as listener,
        _serving(listener, server.application_url(name), folder) as process,
    ):
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        before = await _settled_memory(process, address, crowd)
        sockets = await _connect(address, crowd, listeners)
        gc.freeze()  # A thousand clients' objects, looked through again and again, would be pauses of our own.
        for _ in range(WARM_UP):
            await _time_event(database, crowd.topic, sockets)
        used = _cpu_seconds(process)
        times = [await _time_event(database, crowd.topic, sockets) for _ in range(events)]
        _report_times(listeners, times)
        _report_cost(_cpu_seconds(process) - used, listeners * events)
        sockets += await _connect(address, crowd, idle - listeners, start=listeners)
        _report_memory(len(sockets), _memory(process) - before)
        for each in sockets:
            each.transport.abort()
    await database.close()
    await server.drop_database(name)


async def _crowd(database: Database, people: int) -> Crowd:
    async with database.transaction() as db, system_scope(db):
        owner = await create_verified_user(db, name="Owner", email="owner@example.com", password=secrets.token_hex(16))
        team = await create_team(db, owner, name="Crowd", slug="crowd", facts=RequestFacts())
        crowd = [User(name=f"Person {number}") for number in range(people)]
        db.add_all(crowd)
        await db.flush()
        db.add_all(Membership(organization_id=team.id, user_id=each.id, role=Role.MEMBER) for each in crowd)
        tokens = [await start_session(db, each, methods=["password"], facts=RequestFacts()) for each in crowd]
        return Crowd(tokens, f"organization:{team.id}")


@contextmanager
def _serving(listener: socket.socket, database_url: str, folder: Path) -> Iterator[int]:
    """The id of a server process of the product."""
    listener.set_inheritable(True)
    environment = {
        **os.environ,
        "ENVIRONMENT": "test",
        "BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
        "DATABASE_URL": database_url,
        "DATA_DIRECTORY": str(folder),
        "LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "app", "serve", "--descriptor", str(listener.fileno())]
    running = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[listener.fileno()])
    try:
        yield running.pid
    finally:
        running.kill()
        running.wait()


async def _connect(address: str, crowd: Crowd, number: int, start: int = 0) -> list[LightListener]:
    sockets: list[LightListener] = []
    for first in range(start, start + number, AT_A_TIME):
        some = range(first, min(first + AT_A_TIME, start + number))
        sockets += await asyncio.gather(*(_listen(address, crowd, position) for position in some))
    return sockets


async def _listen(address: str, crowd: Crowd, position: int) -> LightListener:
    host, _, port = address.partition(":")
    cookie = f"session={crowd.tokens[position // EACH]}"
    loop = asyncio.get_running_loop()
    _, listening = await loop.create_connection(lambda: LightListener(address, cookie), host, int(port))
    await listening.next_arrival()
    listening.say({"type": "subscribe", "topics": [crowd.topic]})
    await listening.next_arrival()
    return listening


async def _time_event(database: Database, topic: str, sockets: list[LightListener]) -> list[float]:
    """Milliseconds from the COMMIT of an event to its arrival at each connection."""
    arrivals = [each.next_arrival() for each in sockets]
    async with database.transaction() as db:
        await publish(db, topic, "benchmark.happened")
        began = time.perf_counter()
    return [(at - began) * 1000 for at in await asyncio.gather(*arrivals)]


async def _settled_memory(process: int, address: str, crowd: Crowd) -> int:
    """The server's memory once everything that the first connections load is loaded."""
    for each in await _connect(address, crowd, AT_A_TIME):
        each.transport.abort()
    return _memory(process)


def _memory(process: int) -> int:
    """Resident bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _cpu_seconds(process: int) -> float:
    """What the process has used so far, its threads included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _report_cost(seconds: float, messages: int) -> None:
    click.echo(f"{seconds / messages * 1_000_000:.1f} us of the server's CPU time for each delivered message")


def _report_times(listeners: int, times: list[list[float]]) -> None:
    each = sorted(at for event in times for at in event)
    last = sorted(max(event) for event in times)
    click.echo(
        f"{listeners} connections, {len(times)} events: median {statistics.median(each):.1f} ms, "
        f"p99 {each[int(len(each) * 0.99)]:.1f} ms; the last of an event's listeners: median {statistics.median(last):.1f} ms"
    )


def _report_memory(connections: int, grown: int) -> None:
    click.echo(f"{connections} idle connections: {grown / connections / 1024:.1f} KiB each")


def _allow_open_files(number: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, most), most))


if __name__ == "__main__":
    main()
