"""Child processes that start, restart and stop together with their parent."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

import click
from watchfiles import Change, watch

from app.commands.lifeline import new_lifeline
from app.config import ROOT

WATCHED = ("app", "core", "migrations", "pyproject.toml", ".env")
# Templates, styles and scripts are read anew by the running server.
SUFFIXES = (".py", ".po", ".toml", ".env", ".sql")
CHECK_MILLISECONDS = 500
STOP_SECONDS = 15


class Family:
    """Commands of ours that run as one: all of them start again when code changes, and none outlives the parent."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        inherit: Sequence[int] = (),
        root: Path = ROOT,
        before_restart: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        """`commands`: a name for people, and the arguments after `python -m app`. `inherit`: sockets for all of them.

        `before_restart` is given the changed files, relative to the repository.
        """
        self._commands = commands
        self._inherit = inherit
        self._root = root
        self._before_restart = before_restart
        self._lifeline, self._variables = new_lifeline()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()

    def run(self) -> None:
        """Run until Ctrl-C or SIGTERM; then stop every child and return."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note_signal)
        try:
            self._start()
            for changes in self._changes():
                self._report_the_dead()
                if changes:
                    self._restart(changes)
        finally:
            self._stop()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()

    def _changes(self) -> Iterator[set[tuple[Change, str]]]:
        """The files that changed, together; every half second also an empty set, so that we can look around."""
        paths = [self._root / name for name in WATCHED if (self._root / name).exists()]
        yield from watch(
            *paths,
            watch_filter=_is_code,
            stop_event=self._stopping,
            rust_timeout=CHECK_MILLISECONDS,
            yield_on_timeout=True,
        )

    def _restart(self, changes: set[tuple[Change, str]]) -> None:
        names = sorted({os.path.relpath(path, self._root) for _, path in changes})
        click.echo(f"Changed: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}. Starting again.", err=True)
        self._stop()
        if self._before_restart:
            self._before_restart(names)
        self._start()

    def _start(self) -> None:
        for name, arguments in self._commands.items():
            self._children[name] = subprocess.Popen(  # noqa: S603 (our own commands)
                [sys.executable, "-m", "app", *arguments],
                cwd=self._root,
                env={**os.environ, **self._variables},
                pass_fds=(self._lifeline, *self._inherit),
            )

    def _report_the_dead(self) -> None:
        """A child that fails (a half-typed line) says why itself; the next change brings it back."""
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                click.echo(
                    f"The {name} stopped (exit code {child.returncode}). Save a file to start it again.", err=True
                )
                del self._children[name]

    def _stop(self) -> None:
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._children.clear()


def _is_code(change: Change, path: str) -> bool:
    """Whether a change concerns the children. A new folder does: its first files were there before it was watched."""
    if change is Change.added and Path(path).is_dir():
        return Path(path).name != "__pycache__"
    return path.endswith(SUFFIXES)
