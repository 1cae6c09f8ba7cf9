"""The product as it runs in production: a server process of its own on a real PostgreSQL, with people in it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
from sqlalchemy import insert

from app import clock
from app.accounts.models import Email, Password, User
from app.accounts.passwords import hash_password
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.commands.lifeline import new_lifeline
from app.database import Database
from app.ids import uuid7
from tests.conftest import SECRET_KEY
from tests.databases import database_server, worker_database
from tests.networks import free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "three boats on the river"
START_SECONDS = 90  # On a busy machine; an idle one takes two.


@dataclass(frozen=True)
class Product:
    """Where the product answers, where its data is, and the process that answers or has children which do."""

    url: str
    database_url: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def running_product() -> Iterator[Product]:
    """The product on a database of its own."""
    with database_server() as server, worker_database(server) as name, served(server.application_url(name)) as product:
        yield product


@contextmanager
def served(database_url: str, *arguments: str, **variables: str) -> Iterator[Product]:
    """Start `serve` with these arguments on a database, wait until it is ready, and stop it afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    lifeline, known_by = new_lifeline()  # A drill that is killed leaves no server behind.
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", *arguments],
        cwd=ROOT,
        env=environment(database_url, BASE_URL=url, HOST="127.0.0.1", PORT=str(port), **known_by, **variables),
        pass_fds=[lifeline],
    )
    os.close(lifeline)
    product = Product(url, database_url, process)
    try:
        wait_until_ready(product, process)
        yield product
    finally:
        process.terminate()
        process.wait(timeout=60)


def environment(database_url: str, **variables: str) -> dict[str, str]:
    """What a process of the product reads."""
    return os.environ | {
        "ENVIRONMENT": "test",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "TRUSTED_PROXIES": "127.0.0.1",
        "LOG_LEVEL": "error",
        **variables,
    }


def wait_until_ready(product: Product, process: "subprocess.Popen[bytes]") -> None:
    """Raises SystemExit if the server ends or does not answer in time."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{product.url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise SystemExit("The server did not become ready.")


async def add_people(product: Product, addresses: Sequence[str]) -> None:
    """Accounts with verified addresses, all with `PASSWORD`."""
    database = Database(product.database_url)
    await add_people_to(database, addresses)
    await database.close()


async def add_people_to(database: Database, addresses: Sequence[str]) -> None:
    """The same, where there is a pool already."""
    hashed, now = await hash_password(PASSWORD), clock.now()
    people = [(uuid7(), address) for address in addresses]
    async with database.transaction() as db:
        await db.execute(insert(User), [{"id": user_id, "name": "Ada", "created_at": now} for user_id, _ in people])
        emails = [
            {"user_id": user_id, "address": address, "verified_at": now, "is_primary": True}
            for user_id, address in people
        ]
        await db.execute(insert(Email), emails)
        await db.execute(
            insert(Password), [{"user_id": user_id, "hash": hashed, "changed_at": now} for user_id, _ in people]
        )
        await record(db, "drills.people_added", actor_id=None, request=RequestFacts())
