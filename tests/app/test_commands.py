"""The command line, as real processes: what it says when something is wrong, and what runs when nothing is."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import httpx2 as httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, text

from app.__main__ import COMMANDS, main
from app.config import ROOT, Settings
from app.database import Database
from app.embedded_postgres import OWNER, EmbeddedPostgres
from app.waitlist.models import WaitlistEntry
from tests.app.test_config import PRODUCTION
from tests.command_line import CommandLine
from tests.databases import DatabaseServer, new_database_name
from tests.networks import free_port

PATIENCE = 90


def environment(**values: str) -> dict[str, str]:
    """This process's variables without anything that the product would read, and the given ones."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PG_BINDIR") if name in os.environ}
    return {**kept, "ENVIRONMENT": "test", "DEBUG": "false", **values}


@cache
def command_line() -> CommandLine:
    """One for all tests of a process; it ends with the process, when its standard input does."""
    return CommandLine()


def run(*arguments: str, **values: str) -> subprocess.CompletedProcess[str]:
    return command_line().run(list(arguments), environment(**values))


@contextmanager
def running(*arguments: str, **values: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=environment(**values),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_until(process: subprocess.Popen[str], expected: str) -> str:
    """What the process prints up to the line that contains the text."""
    printed = ""
    assert process.stdout
    for line in process.stdout:
        printed += line
        if expected in line:
            return printed
    raise AssertionError(f"{expected!r} was never printed, only:\n{printed}")


def status_of(url: str) -> int:
    return httpx.get(url, timeout=PATIENCE).status_code


@pytest.fixture
def port() -> str:
    """A port that nothing listens on."""
    return str(free_port())


@pytest.fixture
def installation(settings: Settings, tmp_path: Path, port: str) -> dict[str, str]:
    """Variables of an installation on the tests' database."""
    return {
        "SECRET_KEY": str(settings.secret_key),
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "DATA_DIRECTORY": str(tmp_path),
        "PORT": port,
    }


@pytest.fixture
async def empty_database(server: DatabaseServer, installation: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """Variables of an installation whose database has no table yet."""
    name = new_database_name(server)
    await server.create_empty_database(name)
    yield {
        **installation,
        "DATABASE_URL": server.application_url(name),
        "DATABASE_OWNER_URL": server.owner_url(name),
    }
    await server.drop_database(name)


def assert_is_refused(result: subprocess.CompletedProcess[str], *expected: str) -> None:
    assert result.returncode != 0
    assert result.stderr.startswith("Error: "), result.stderr
    assert "Traceback" not in result.stderr
    for part in expected:
        assert part in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"], prog_name="python -m app")

    assert result.exit_code == 0
    assert f"Usage: python -m app {command}" in result.stdout


def test_an_unknown_command_is_refused() -> None:
    assert run("launch").returncode == 2


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "seed", "dev"])
def test_unsafe_settings_are_named_all_at_once(command: str) -> None:
    result = run(command, ENVIRONMENT="production", SECRET_KEY="short", PORT="eighty")

    assert_is_refused(
        result, "settings must change", "SECRET_KEY is shorter", "PORT must be", "DATABASE_URL is missing"
    )


def test_one_unsafe_setting_is_one_sentence() -> None:
    assert_is_refused(run("routes", LOG_LEVEL="loud"), "LOG_LEVEL must be one of debug, info, warning, error.")


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["migrate"], ["seed"]])
def test_a_database_that_is_not_there_is_one_sentence(command: list[str], installation: dict[str, str]) -> None:
    broken = "postgresql://app:sw0rdfish@127.0.0.1:1/none"
    result = run(*command, **{**installation, "DATABASE_URL": broken, "DATABASE_OWNER_URL": broken})

    assert_is_refused(result, "nothing listens at that address", "127.0.0.1:1/none")
    assert "sw0rdfish" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "wrong"}, "it refuses the user or the password"),
        ({"database": "nowhere"}, "the server has no database of that name"),
        ({"host": "no-such-host.invalid"}, "no host of that name is known"),
    ],
)
def test_a_wrong_database_address_says_what_is_wrong(
    change: dict[str, Any], reason: str, installation: dict[str, str]
) -> None:
    url = make_url(installation["DATABASE_URL"]).set(**change).render_as_string(hide_password=False)

    assert_is_refused(run("serve", **{**installation, "DATABASE_URL": url}), reason, "DATABASE_URL")


def test_a_second_server_on_the_same_port_is_refused(installation: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(installation["PORT"]))):
        for command in ("serve", "dev"):
            result = run(command, **installation)
            assert_is_refused(result, f"127.0.0.1:{installation['PORT']} is in use", "choose another PORT")


def test_a_host_that_is_not_ours_is_refused(installation: dict[str, str]) -> None:
    assert_is_refused(run("serve", **{**installation, "HOST": "192.0.2.1"}), "192.0.2.1", "Correct HOST and PORT")


async def test_serving_is_refused_until_the_migrations_are_applied(empty_database: dict[str, str]) -> None:
    assert_is_refused(
        run("migrate", "--check", **empty_database), "Migrations are pending: 0001", "python -m app migrate"
    )
    await migrate_as_far_as(empty_database, "0001")
    assert_is_refused(run("serve", **empty_database), "pending (0002", "Run: python -m app migrate")
    assert_is_refused(run("worker", **empty_database), "pending (0002")

    assert run("migrate", **empty_database).stdout == "The schema is up to date.\n"
    assert "Not applied: 0003" in run("migrate", "--down", "0002", "--yes", **empty_database).stdout


async def migrate_as_far_as(variables: dict[str, str], revision: str) -> None:
    result = run("migrate", "--to", revision, **variables)
    assert result.returncode == 0, result.stderr
    assert "Not applied: 0002" in result.stdout


async def test_migrating_creates_the_role_of_the_application(
    empty_database: dict[str, str], server: DatabaseServer
) -> None:
    role = f"slipway_made_{os.getpid()}"
    url = make_url(empty_database["DATABASE_URL"]).set(username=role, password="quite'a secret\\word")
    variables = {**empty_database, "DATABASE_URL": url.render_as_string(hide_password=False)}

    assert run("migrate", **variables).returncode == 0

    database = Database(url.render_as_string(hide_password=False))
    async with database.transaction() as db:
        assert await db.scalar(text("SELECT count(*) FROM users")) == 0
    await database.close()
    await server.drop_database(str(url.database))
    await server.drop_role(role)


def test_production_refuses_a_role_that_row_level_security_does_not_bind(
    installation: dict[str, str], server: DatabaseServer
) -> None:
    if server.owner.username != OWNER:
        pytest.skip("the superuser of a server that was given is not known")
    superuser = make_url(installation["DATABASE_URL"]).set(username="postgres", password=server.owner.password)
    url = superuser.render_as_string(hide_password=False)
    result = run("serve", **{**PRODUCTION, "PORT": installation["PORT"], "DATABASE_URL": url})

    assert_is_refused(result, "superuser", "DATABASE_OWNER_URL")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_server_answers_and_stops_in_order(installation: dict[str, str], workers: str) -> None:
    with running("serve", "--workers", workers, **installation) as process:
        read_until(process, f"http://127.0.0.1:{installation['PORT']}")
        assert status_of(f"http://127.0.0.1:{installation['PORT']}/readyz") == 200
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert "Traceback" not in output


def test_the_worker_stops_in_order(installation: dict[str, str]) -> None:
    with running("worker", **installation) as process:
        read_until(process, "worker.started")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert "Traceback" not in output


async def test_seeding_twice_changes_nothing(empty_database: dict[str, str]) -> None:
    assert run("migrate", **empty_database).returncode == 0
    counts = []
    for _ in range(2):
        result = run("seed", **empty_database)
        assert result.returncode == 0, result.stderr
        counts.append(await count_users(empty_database))

    assert counts[0] == counts[1] >= 1


async def test_staff_is_made_on_the_command_line(empty_database: dict[str, str]) -> None:
    assert run("migrate", **empty_database).returncode == 0
    arguments = ["create-staff", "grace@example.com", "--name", "Grace", "--password"]

    assert_is_refused(run(*arguments, "password", **empty_database))
    assert run(*arguments, "a lantern over the harbour", **empty_database).returncode == 0
    assert await count_users(empty_database, staff=True) == 1


async def test_people_are_let_in_from_the_waiting_list_on_the_command_line(empty_database: dict[str, str]) -> None:
    assert run("migrate", **empty_database).returncode == 0
    assert run("invite-from-waitlist", **empty_database).stdout == "Nobody is waiting.\n"
    database = Database(empty_database["DATABASE_URL"])
    async with database.transaction() as db:
        db.add(WaitlistEntry(address="ada@example.com"))
    await database.close()

    assert run("invite-from-waitlist", "5", **empty_database).stdout == "ada@example.com\n1 invited.\n"


async def count_users(variables: dict[str, str], *, staff: bool = False) -> int:
    database = Database(variables["DATABASE_URL"])
    async with database.transaction() as db:
        count = await db.scalar(text("SELECT count(*) FROM users WHERE is_staff >= :staff"), {"staff": staff})
    await database.close()
    return int(count or 0)


def test_the_demonstration_is_refused_in_production(installation: dict[str, str]) -> None:
    for command in ("seed", "dev"):
        assert_is_refused(run(command, **PRODUCTION), "production")


def test_the_url_map_says_who_may_use_what(installation: dict[str, str]) -> None:
    result = run("routes", "--search", "/healthz", **installation)

    assert re.fullmatch(r"GET\s+/healthz\s+health\.alive\s+public\n", result.stdout)


def test_development_keeps_its_data_through_kill_9(tmp_path: Path, port: str) -> None:
    variables = {"ENVIRONMENT": "development", "DATA_DIRECTORY": str(tmp_path), "PORT": port}
    address = f"http://127.0.0.1:{port}"
    with running("dev", **variables) as process:
        printed = read_until(process, "Ctrl-C stops everything")
        assert {address, f"{address}/dev/mailbox", "demo@example.com"} <= set(printed.split())
        assert status_of(f"{address}/readyz") == 200
        assert status_of(f"{address}/dev/mailbox") == 200
        with EmbeddedPostgres(tmp_path / "postgres") as server:
            asyncio.run(execute(server.url(OWNER), "CREATE TABLE kept AS SELECT 42 AS answer"))
        os.killpg(process.pid, signal.SIGKILL)
    with running("dev", **variables) as process:
        read_until(process, "Ctrl-C stops everything")
        assert status_of(f"{address}/readyz") == 200
        with EmbeddedPostgres(tmp_path / "postgres") as server:
            assert asyncio.run(execute(server.url(OWNER), "SELECT answer FROM kept")) == 42
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in output
    assert not (tmp_path / "postgres" / "cluster" / "postmaster.pid").exists()


async def execute(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
