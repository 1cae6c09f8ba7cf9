"""Processes that answer every line with numbers: what such a process does, and how it is asked.

A process that needs more than its time for an answer is ended by its own alarm, so that nothing stays behind even if who
asked is gone; it ends as well when its standard input does.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.environment import ROOT

SECONDS_TO_ANSWER = 15
SECONDS_TO_END = 5


async def answer_lines(answer: Callable[[str], Awaitable[Sequence[float]]]) -> None:
    """Answer what is asked on standard input, with no numbers where nothing can be measured.

    Whatever else the program prints goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        signal.alarm(SECONDS_TO_ANSWER)
        print(*await answer(line.rstrip("\n")), file=answers)
        signal.alarm(0)


class Answering:
    """Such a process. One that has died is started again when the next question comes."""

    def __init__(self, interpreter: Path, module: str, arguments: Sequence[str] = ()) -> None:
        self.name = " ".join([module, *arguments])
        self.command: list[str | Path] = [interpreter, "-W", "ignore", "-m", module, *arguments]
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def ask(self, line: str) -> list[float]:
        """The numbers; none if nothing could be measured, or if the process did not live to answer."""
        process = self.process = self.process or self._start()
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            print(f"{self.name} ended without an answer to {line!r}", file=sys.stderr)
            self.stop()
        return [float(number) for number in answer.split()]

    def _start(self) -> subprocess.Popen[str]:
        # Its own session keeps Ctrl-C from it: the runner ends it by closing its input.
        return subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
        )

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process that lives as long as its standard input."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                continue  # It died before it read its last line.
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
