"""Child processes that start, restart and end with their parent."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.config import ROOT

PARENT = """
import sys
from pathlib import Path
from app.commands.family import Family

Family({"child": ["run"]}, root=Path(sys.argv[1]), before_restart=lambda names: print("changed", *names, flush=True)).run()
print("parent ended", flush=True)
"""
# Stands for `python -m app run`: says its number, and waits for a signal.
CHILD = """
import os, signal, sys
sys.path.append({root!r})
from app_commands_lifeline import die_with_parent

die_with_parent()
print("child", os.getpid(), {version!r}, flush=True)
signal.pause()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a program called app, which is watched."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    lifeline = (ROOT / "app" / "commands" / "lifeline.py").read_text()
    (tmp_path / "app_commands_lifeline.py").write_text(lifeline)
    write_child(tmp_path, "first")
    return tmp_path


def write_child(root: Path, version: str) -> None:
    (root / "app" / "__main__.py").write_text(CHILD.format(root=str(root), version=version))


@contextmanager
def parent(root: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PARENT, str(root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def line_of(process: subprocess.Popen[str], beginning: str) -> list[str]:
    assert process.stdout
    for line in process.stdout:
        if line.startswith(beginning):
            return line.split()
    raise AssertionError(f"nothing begins with {beginning!r}")


def wait_until_gone(pid: int) -> None:
    """Waits for a process that is not our child, by the kernel's own means."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with os.fdopen(descriptor):
        assert select.select([descriptor], [], [], 30)[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_parent_ends_the_children(root: Path, number: signal.Signals) -> None:
    with parent(root) as process:
        child = int(line_of(process, "child")[1])
        process.send_signal(number)
        line_of(process, "parent ended")
        process.wait()
    assert process.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to wait for a grandchild")
def test_kill_9_of_the_parent_ends_the_children(root: Path) -> None:
    with parent(root) as process:
        child = int(line_of(process, "child")[1])
        process.kill()
        wait_until_gone(child)


def test_a_changed_file_starts_the_children_again(root: Path) -> None:
    with parent(root) as process:
        first = line_of(process, "child")
        write_child(root, "second")
        assert line_of(process, "changed") == ["changed", "app/__main__.py"]
        second = line_of(process, "child")

    assert first[2] == "first"
    assert second[2] == "second"
    assert first[1] != second[1]


def test_a_new_folder_starts_the_children_again(root: Path) -> None:
    """A file that is written together with its folder is there before the folder is watched."""
    with parent(root) as process:
        line_of(process, "child")
        (root / "app" / "hello").mkdir()
        (root / "app" / "hello" / "routes.py").touch()

        assert line_of(process, "changed")[1].startswith("app/hello")
        line_of(process, "child")


def test_a_child_that_fails_is_told_and_comes_back_with_the_next_change(root: Path) -> None:
    with parent(root) as process:
        line_of(process, "child")
        (root / "app" / "__main__.py").write_text("half typed (")
        assert line_of(process, "The child stopped")[-7:] == ["Save", "a", "file", "to", "start", "it", "again."]
        write_child(root, "mended")
        assert line_of(process, "child")[2] == "mended"
