"""A thread that looks whether the event loop turns, and says which line holds it up when it does not.

Whatever blocks the loop (a slow regular expression, a file on a sleeping disk, `time.sleep`) holds up every request of the
process; only another thread can still see where. One such thing is known beforehand: the garbage collector's look at everything.
"""

import asyncio
import gc
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from app.config import ROOT
from app.metrics import note_stall

log = structlog.get_logger(__name__)

STALL_SECONDS = 0.2
LOOK_SECONDS = 0.05


# New objects between two looks at them. Python's own 700 are few for a page; with ten thousand a look is a pause of 40 ms.
LOOK_AT_NEW_AFTER = 2_000


def spare_what_stays() -> None:
    """Keep the garbage collector from looking at what exists by now: call it when a process is ready to work.

    Modules, routes and tables are 400,000 objects that never become garbage, and each look at all of them stands for 0.13 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOK_AT_NEW_AFTER, *gc.get_threshold()[1:])


class StallWatch:
    """Watches the loop of the thread that makes it."""

    def __init__(self, *, stall_seconds: float = STALL_SECONDS, look_seconds: float = LOOK_SECONDS) -> None:
        self._stall_seconds = stall_seconds
        self._look_seconds = look_seconds
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._turned_at = time.monotonic()
        self._is_told = False
        self._end = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look until the end of the block."""
        watcher = threading.Thread(target=self._watch, name="stall-watch", daemon=True)
        timer = self._loop.call_soon(self._turn)
        watcher.start()
        try:
            yield
        finally:
            timer.cancel()
            self._end.set()
            watcher.join()

    def _turn(self) -> None:
        """Runs on the loop, as often as it lets us."""
        stood = time.monotonic() - self._turned_at
        if self._is_told:
            log.warning("loop.turns_again", seconds=round(stood, 2))
        self._turned_at, self._is_told = time.monotonic(), False
        if not self._end.is_set():
            self._loop.call_later(self._look_seconds, self._turn)

    def _watch(self) -> None:
        while not self._end.wait(self._look_seconds):
            stood = time.monotonic() - self._turned_at
            if stood > self._stall_seconds and not self._is_told:
                self._is_told = True
                self._tell(stood)

    def _tell(self, stood: float) -> None:
        frame = sys._current_frames().get(self._thread)
        if frame is None:
            return
        note_stall()
        stack = traceback.extract_stack(frame)
        log.warning("loop.stalled", seconds=round(stood, 2), line=_own_line(frame), stack="".join(stack.format()[-8:]))


def _own_line(frame: FrameType) -> str:
    """The innermost line of this repository: what it called stands in the stack."""
    innermost = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    found: FrameType | None = frame
    while found is not None:
        name = found.f_code.co_filename
        if name.startswith(str(ROOT)) and "site-packages" not in name:
            return f"{name.removeprefix(f'{ROOT}/')}:{found.f_lineno}"
        found = found.f_back
    return innermost
