"""A real PostgreSQL for development and tests, started from programs on this machine, as any user.

Everybody who uses a data directory holds a shared lock on it. Whoever comes first starts the server, the others adopt
it, and the last to leave stops it. The kernel drops the locks of killed processes, so a server that was left behind by
`kill -9` is adopted by the next user and stopped by the last one, like any other.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from app.postgres_binaries import Account, EmbeddedPostgresError, find_binaries, run_as
from app.scram import scram_verifier

OWNER = "slipway_owner"
APPLICATION = "slipway_app"
DATABASE = "slipway"

START_SECONDS = 60
STOP_SECONDS = 15
FASTER = {"fsync": "off"}
# What a test needs to keep is gone with the test.
FASTEST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass(frozen=True)
class _Server:
    """A running PostgreSQL, as its postmaster.pid tells."""

    pid: int
    port: int
    is_ready: bool


class EmbeddedPostgres:
    """The server of one data directory, used as a context manager. Raises EmbeddedPostgresError.

    With `temporary`, it is set up for speed alone and the last user deletes the directory.
    """

    def __init__(self, directory: Path, *, temporary: bool = False) -> None:
        self._directory = directory.resolve()
        self._cluster = self._directory / "cluster"
        self._temporary = temporary
        self._process: subprocess.Popen[bytes] | None = None
        self._users_lock: IO[str] | None = None
        self._account: Account | None = None
        self.port = 0
        self.password = ""

    def url(self, role: str = APPLICATION, database: str = DATABASE) -> str:
        """The address for Settings, with the password. The owner's role exists; the application's comes with `migrate`."""
        return f"postgresql+asyncpg://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        try:
            with self._one_at_a_time():
                self._start_or_adopt()
                self._users_lock = _lock(self._beside("users"), fcntl.LOCK_SH)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL cannot use {self._directory}: {error.strerror or error}. "
                "Run the command as the user who made it, or remove the folder to begin with an empty database."
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Stop the server unless somebody else uses it."""
        with self._one_at_a_time():
            if self._users_lock:
                self._users_lock.close()
            if _is_unlocked(self._beside("users")):
                self._stop()
            if self._process and self._process.poll() is None:
                # The others stop it. Popen would complain that nobody waits for its process.
                self._process.returncode = 0

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        self._directory.parent.mkdir(parents=True, exist_ok=True)
        with _lock(self._beside("lock"), fcntl.LOCK_EX):
            yield

    def _beside(self, suffix: str) -> Path:
        return self._directory.with_name(f"{self._directory.name}.{suffix}")

    def _start_or_adopt(self) -> None:
        self._account = Account.for_directory(self._directory)
        self._prepare_directory()
        if server := self._find_running():
            self.port = server.port
            return
        binaries = find_binaries(self._account)
        if not self._cluster.exists():
            self._create_cluster(binaries)
        self._start(binaries)

    def _prepare_directory(self) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        password = self._directory / "password"
        if not password.exists():
            with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(24))
            self._give_to_account(password)
        self._give_to_account(self._directory)
        self.password = password.read_text("utf-8")

    def _give_to_account(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account.uid, self._account.gid)

    def _create_cluster(self, binaries: Path) -> None:
        """Make the cluster under another name and rename it when it is complete, in case we are killed meanwhile."""
        draft = self._directory / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._give_to_account(draft)
        access = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={_here(draft)}/../password"]
        encoding = ["-E", "UTF8", "--locale=C", "--lc-ctype=C.UTF-8"]
        self._run([binaries / "initdb", "-D", _here(draft), "-N", *access, *encoding], draft)
        self._run([binaries / "postgres", "--single", "-D", _here(draft), "postgres"], draft, self._first_statements())
        draft.rename(self._cluster)

    def _first_statements(self) -> str:
        """The owner is no superuser: what works here works on a hosted database too."""
        password = scram_verifier(self.password)
        return (
            f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB PASSWORD '{password}'\n"
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}\n"
        )

    def _run(self, arguments: list[str | Path], folder: Path, stdin: str = "") -> None:
        result = subprocess.run(  # noqa: S603 (PostgreSQL's own programs)
            arguments, cwd=folder, input=stdin, text=True, capture_output=True, **run_as(self._account)
        )
        # In single-user mode the exit code is 0 even after a failed statement.
        if result.returncode or "ERROR:" in result.stderr:
            raise EmbeddedPostgresError(
                f"{Path(arguments[0]).name} failed: {_last_lines(result.stderr or result.stdout)}"
            )

    def _start(self, binaries: Path) -> None:
        for _ in range(3):
            self.port = _free_port()
            with (self._directory / "log").open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 (PostgreSQL's own program)
                    [binaries / "postgres", "-D", _here(self._cluster), *self._options()],
                    cwd=self._cluster,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for us; we stop the server when its users are done.
                    **run_as(self._account),
                )
            if self._becomes_ready(self._process):
                return
        raise EmbeddedPostgresError(f"PostgreSQL does not start: {_last_lines((self._directory / 'log').read_text())}")

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "logging_collector": "off",
            "timezone": "UTC",
            **(FASTEST if self._temporary else FASTER),
        }
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        def is_ready_or_gone() -> bool:
            server = self._read_pid_file()
            # A file that a crash left behind says "ready" as well, hence the comparison of the process.
            return process.poll() is not None or bool(server and server.is_ready and server.pid == process.pid)

        return _wait(is_ready_or_gone, START_SECONDS) and process.poll() is None

    def _find_running(self) -> _Server | None:
        """The server that somebody else started, once it is ready."""
        server = self._read_pid_file()
        if server is None:
            return None
        if not self._is_our_server(server.pid):
            # The number may belong to another program by now, and PostgreSQL would not start because of it.
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)
            return None
        _wait(lambda: bool((found := self._read_pid_file()) and found.is_ready), START_SECONDS)
        return self._read_pid_file()

    def _read_pid_file(self) -> _Server | None:
        try:
            lines = (self._cluster / "postmaster.pid").read_text("utf-8").splitlines()
            return _Server(int(lines[0]), int(lines[3]), is_ready=len(lines) > 7 and lines[7].strip() == "ready")
        except (FileNotFoundError, IndexError, ValueError):
            return None

    def _is_our_server(self, pid: int) -> bool:
        try:
            os.kill(pid, 0)
            if Path("/proc/self/cwd").exists():
                return Path(f"/proc/{pid}/cwd").samefile(self._cluster)
        except OSError:
            return False
        question = ["ps", "-o", "stat=", "-o", "comm=", "-p", str(pid)]
        answer = subprocess.run(question, capture_output=True, text=True).stdout  # noqa: S603 (the system's own program)
        return "postgres" in answer and not answer.startswith("Z")

    def _stop(self) -> None:
        """Stop the server, whoever started it. SIGINT ends the sessions; SIGTERM would wait for them."""
        server = self._read_pid_file()
        if server and self._is_our_server(server.pid):
            for stop_signal in (signal.SIGINT, signal.SIGQUIT):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(server.pid, stop_signal)
                if _wait(lambda: self._is_gone(server.pid), STOP_SECONDS):
                    break
        if self._temporary:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._beside("users").unlink(missing_ok=True)
            self._beside("lock").unlink(missing_ok=True)

    def _is_gone(self, pid: int) -> bool:
        if self._process and self._process.pid == pid:
            return self._process.poll() is not None
        return not self._is_our_server(pid)


def _here(folder: Path) -> str:
    """A name for the folder that its program is started in.

    PostgreSQL's user often cannot pass through the folders above it (/root). Linux's link to a process's own working
    directory needs no such right, and every child that PostgreSQL makes stays in that directory.
    """
    return "/proc/self/cwd" if os.geteuid() == 0 and Path("/proc/self/cwd").exists() else str(folder)


def _lock(path: Path, kind: int) -> IO[str]:
    """Wait for a lock on the file; closing the file, or dying, gives it back."""
    file = path.open("w")
    try:
        fcntl.flock(file, kind)
    except BaseException:
        file.close()
        raise
    return file


def _is_unlocked(path: Path) -> bool:
    try:
        _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB).close()
    except BlockingIOError:
        return False
    return True


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_lines(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    return " / ".join(lines[-5:]) or "it says nothing"


def remove_abandoned(parent: Path) -> None:
    """Stop and delete the temporary servers under `parent` whose users were all killed."""
    for users in parent.glob("*.users"):
        EmbeddedPostgres(users.with_suffix(""), temporary=True).leave()
