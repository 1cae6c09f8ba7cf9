"""`python -m app` as real processes that need not import the product each time: one process has, and forks for every command."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from app.__main__ import COMMANDS, main

ROOT = Path(__file__).parent.parent
MODULES = ("app.main", "app.features", "uvicorn", "alembic.command", "app.jobs.worker")


class CommandLine:
    """Runs commands one after the other, each in a process of its own with exactly the variables it is given."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.command_line"]
        # It ends when its standard input does, which is when this process ends.
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def run(self, arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run `python -m app` with these arguments to its end."""
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as folder:
            files = [str(Path(folder, name)) for name in ("output", "errors")]
            self._process.stdin.write(json.dumps([arguments, environment, *files]) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            output, errors = (Path(name).read_text() for name in files)
        return subprocess.CompletedProcess(arguments, code, output, errors)


def serve() -> None:
    """Read commands from the standard input, fork for each, and write its exit code."""
    for name in (*MODULES, *(f"app.commands.{command.replace('-', '_')}" for command in COMMANDS)):
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(*json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def become(arguments: list[str], environment: dict[str, str], output: str, errors: str) -> None:
    """Be the command, from the state in which a new process would be."""
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, name in ((1, output), (2, errors)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        main(arguments, prog_name="python -m app")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
