"""Identifiers that sort by the time of their making (UUID version 7, RFC 9562 section 5.7)."""

import secrets
import threading
import time
from uuid import UUID

# Section 6.2, method 1: a counter of 42 bits follows the milliseconds, and 32 random bits follow the counter.
COUNTER_BITS = 42
RANDOM_BITS = 32
VERSION = 0x7 << 76
VARIANT = 0b10 << 62


class IncreasingIds:
    """Makes identifiers each greater than all before it, even when the system's clock steps back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds = 0
        self._counter = 0

    def next(self) -> UUID:
        milliseconds, counter = self._next_position()
        above_version = counter >> 30
        below_version = (counter & 0x3FFF_FFFF) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
        return UUID(int=milliseconds << 80 | VERSION | above_version << 64 | VARIANT | below_version)

    def _next_position(self) -> tuple[int, int]:
        with self._lock:
            milliseconds = time.time_ns() // 1_000_000
            if milliseconds > self._milliseconds:
                self._milliseconds, self._counter = milliseconds, _fresh_counter()
            elif self._counter + 1 >> COUNTER_BITS:
                self._milliseconds, self._counter = self._milliseconds + 1, _fresh_counter()
            else:
                self._counter += 1
            return self._milliseconds, self._counter


def _fresh_counter() -> int:
    """A random start whose highest bit is free, so that one millisecond has room for two million million more."""
    return secrets.randbits(COUNTER_BITS - 1)


_ids = IncreasingIds()


def uuid7() -> UUID:
    """A new identifier, greater than all that this process made before."""
    return _ids.next()
