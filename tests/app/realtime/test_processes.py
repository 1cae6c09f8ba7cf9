"""Several web processes on one database: what happens in one is heard in the other, also while one of them goes."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.accounts.actions import end_sessions
from app.config import Settings
from app.ids import uuid7
from app.publishing import publish
from core.applications import Starlette
from tests.app.realtime.listening import Product, migrated_database
from tests.app.realtime.test_presence import present
from tests.databases import DatabaseServer

ROOT = Path(__file__).parent.parent.parent.parent


@contextmanager
def process(settings: Settings, database_url: str, listener: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m app serve` on the database, given a socket that listens already."""
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    environment = {
        **os.environ,
        "ENVIRONMENT": "test",
        "SECRET_KEY": str(settings.secret_key),
        "BASE_URL": address,
        "DATABASE_URL": database_url,
        "LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "app", "serve", "--descriptor", str(listener.fileno())]
    running = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[listener.fileno()])
    try:
        yield running
    finally:
        running.terminate()
        running.wait(20)


def listening_socket() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.set_inheritable(True)
    return listener


@pytest.mark.requirement("SES-4", "WSK-1")
async def test_two_processes_tell_the_same_and_one_that_ends_says_so(
    settings: Settings, server: DatabaseServer
) -> None:
    async with migrated_database(server) as database:
        url = database.engine.url.render_as_string(hide_password=False)
        with (
            closing(listening_socket()) as first,
            closing(listening_socket()) as second,
            process(settings, url, first) as ending,
            process(settings, url, second),
        ):
            products = [
                Product(f"http://127.0.0.1:{each.getsockname()[1]}", database, Starlette()) for each in (first, second)
            ]
            ada = await products[0].add_person()
            grace = await products[0].add_person("Grace Hopper")
            await products[0].add_member(grace, ada.organization.id)
            async with (
                products[0].listening(ada, ada.organization_topic) as one,
                products[1].listening(grace, ada.organization_topic) as other,
            ):
                async with database.transaction() as db:
                    await publish(db, ada.organization_topic, "test.happened", {"number": 1})
                heard = await one.hear()
                assert heard == await other.hear()

                place = f"project:{uuid7()}"
                topic = f"presence:{ada.organization.id}/{place}"
                await one.ask(type="subscribe", topics=[topic])
                assert (await one.hear())["data"] == {"user_id": str(ada.user.id)}
                await other.ask(type="subscribe", topics=[topic])
                assert (await one.hear())["data"] == {"user_id": str(grace.user.id)}
                assert (await other.hear())["data"] == {"user_id": str(grace.user.id)}
                for product in products:
                    both = await present(product, ada, ada.organization.slug, place)
                    assert both == ["Ada Lovelace", "Grace Hopper"], "each process knows who is at the other"
                await other.ask(type="unsubscribe", topics=[topic])

                ending.send_signal(signal.SIGTERM)
                assert await one.end() == 1012
                async with products[1].changing() as db:
                    await publish(db, ada.organization_topic, "test.happened", {"number": 2})
                    await end_sessions(db, grace.user)
                assert (await other.hear())["data"] == {"number": 2}
                assert await other.end() == 4401
            async with products[1].listening(ada, ada.organization_topic, since=heard["id"]) as again:
                assert (await again.hear())["data"] == {"number": 2}
