"""`python -m app test`."""

import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click

from app.commands.tools import is_installed, run_tool
from app.config import ROOT

BROWSER_TESTS = "tests/browser"
DRILLS = "tests/drills"
NO_TESTS_FOUND = 5
SPARE_PROCESSES = 1  # Many tests wait for sockets and processes rather than compute.
MOST_PROCESSES = 8  # Each has its own database and its own connections to the one server.
CHUNK = 50  # Tests that a process is given at once; xdist's hundreds would give all the long ones, which come first, to one.
MOST_BROWSERS = 2  # Each has a product of its own.
MEMORY = Path("/dev/shm")  # noqa: S108 (what is made there has the owner's rights alone)
ROOM = 2 * 1024**3  # Bytes; several times what a run has there at once.


@click.command("test", short_help="Run the tests.", context_settings={"ignore_unknown_options": True})
@click.option("--fast", is_flag=True, help="Everything but the browser and the drills.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test_command(fast: bool, arguments: tuple[str, ...]) -> None:
    """Run the tests; ARGUMENTS go to pytest (`test tests/app -k log_in`).

    The browser's tests run in processes of their own, because playwright brings an event loop along; so does the selection of
    drills, which want the machine for themselves. Naming files or folders runs these alone.
    """
    started = time.monotonic()
    code = run_tests(fast, arguments)
    click.echo(f"Total time: {time.monotonic() - started:.0f} s")
    raise SystemExit(code)


def run_tests(fast: bool, arguments: tuple[str, ...]) -> int:
    if not is_installed("pytest"):
        raise click.ClickException("pytest is missing. Install the tools: pip install -r requirements-dev.lock")
    pytest = partial(run_tool, "pytest", environment=environment_for_tests(os.environ))
    if any((ROOT / argument.partition("::")[0]).exists() for argument in arguments if not argument.startswith("-")):
        return pytest(*arguments)
    chosen = any(argument.startswith(("-n", "--pdb", "-s")) for argument in arguments)
    cores = os.cpu_count() or 1
    parallel = [] if chosen else [f"-n{min(MOST_PROCESSES, SPARE_PROCESSES + cores)}", f"--maxschedchunk={CHUNK}"]
    code = pytest(f"--ignore={BROWSER_TESTS}", f"--ignore={DRILLS}", *parallel, *arguments)
    if fast:
        return code
    # By files, because a page is inspected once by each process that opens it.
    browsers = [] if chosen else [f"-n{min(MOST_BROWSERS, cores)}", "--dist=loadfile"]
    for folder, options in ((BROWSER_TESTS, browsers), (DRILLS, [])):
        found = pytest(folder, *options, *arguments)
        code = code or (0 if found == NO_TESTS_FOUND else found)
    return code


def environment_for_tests(ours: Mapping[str, str], memory: Path = MEMORY) -> dict[str, str]:
    """Our variables, with two that make the tests quicker.

    A dozen processes import the same modules, so the first one keeps what it compiled, whatever is usual on this machine.
    Databases are copied and deleted hundreds of times, which costs a file system in memory the least.
    """
    variables = {name: value for name, value in ours.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"TMPDIR": str(memory), **variables} if has_room(memory) else variables


def has_room(folder: Path, room: int = ROOM) -> bool:
    """Whether `room` bytes are free there and programs can be executed; a container's often has 64 MB and forbids that."""
    if not folder.is_dir():
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= room and not found.f_flag & os.ST_NOEXEC
