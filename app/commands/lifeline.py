"""A child that notices the death of its parent, `kill -9` included, and stops in order.

The parent keeps the writing end of a pipe that it never writes to. When it dies, the kernel closes that end, and the
child's reading end reports the end of the file.
"""

import os
import signal
import threading

VARIABLE = "SLIPWAY_LIFELINE"
PATIENCE_SECONDS = 15


def new_lifeline() -> tuple[int, dict[str, str]]:
    """For a parent: the file descriptor to pass on to children, and the environment that tells them of it."""
    reading, _ = os.pipe()
    return reading, {VARIABLE: str(reading)}


def die_with_parent() -> None:
    """For a child: stop when the parent is gone. Does nothing in a process without such a parent."""
    descriptor = os.environ.pop(VARIABLE, None)
    if descriptor:
        threading.Thread(target=_wait_for_the_end, args=(int(descriptor),), daemon=True).start()


def _wait_for_the_end(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(PATIENCE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
