"""The disk of a table is full: reading goes on, writing is 503, and all is well when there is room again."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.embedded_postgres import OWNER, EmbeddedPostgres
from tests.databases import DatabaseServer
from tests.drills.load import log_in
from tests.drills.product import Product, add_people, served
from tests.networks import network

PEOPLE = [f"disk{number}@example.com" for number in range(20)]
SIZE = "8m"
FILLER = "filler"


def drill() -> list[str]:
    """Print the figures; what was not as it should be."""
    with tempfile.TemporaryDirectory(prefix="slipway-drill-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder / "postgres") as postgres, small_disk(folder) as disk:
            if disk is None:
                print("skipped: mounting a small file system needs root and its rights")  # noqa: T201
                return []
            server = DatabaseServer(make_url(postgres.url(OWNER, "postgres")))
            asyncio.run(server.create_template())
            return asyncio.run(_run(server, postgres.url("postgres", server.template), disk))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system that is soon full, for PostgreSQL's user; None where we may not mount."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        owner = (folder / "postgres").stat()
        os.chown(disk, owner.st_uid, owner.st_gid)
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def _run(server: DatabaseServer, superuser_url: str, disk: Path) -> list[str]:
    await _execute(superuser_url, f"CREATE TABLESPACE small LOCATION '{disk}'")
    await _execute(superuser_url, "ALTER TABLE email_messages SET TABLESPACE small")
    serving = served(server.application_url(server.template))
    product = await asyncio.to_thread(serving.__enter__)
    try:
        await add_people(product, PEOPLE)
        return await _problems(product, disk)
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


async def _problems(product: Product, disk: Path) -> list[str]:
    cookies = await log_in(product, PEOPLE[0])
    _fill(disk)
    reading = await _status(product, cookies)
    writing = [await _status_of_mail(product, number) for number in range(len(PEOPLE))]
    (disk / FILLER).unlink()
    after = await _status_of_mail(product, 0)
    print(f"full disk: reading {reading}, writing {sorted(set(writing))}; with room again {after}")  # noqa: T201
    found = [] if reading == 200 else [f"reading answered {reading}"]
    if 503 not in writing or set(writing) - {303, 503}:
        found.append(f"writing answered {sorted(set(writing))}")
    return found if after == 303 else [*found, f"afterwards {after}"]


def _fill(disk: Path) -> None:
    with (disk / FILLER).open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


async def _status(product: Product, cookies: dict[str, str]) -> int:
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as client:
        return (await client.get("/account/profile", headers=cookies)).status_code


async def _status_of_mail(product: Product, number: int) -> int:
    """Whoever asks for a mail has it written into the outbox."""
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as client:
        form = {"email": PEOPLE[number]}
        return (await client.post("/forgot-password", data=form, headers=network(number))).status_code


async def _execute(url: str, statement: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
