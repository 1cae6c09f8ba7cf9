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

_lock = threading.Lock()
_last_milliseconds = 0
_last_counter = 0


def uuid7() -> UUID:
    """A new identifier, greater than all that this process made before, even when the system's clock steps back."""
    milliseconds, counter = _next_position()
    above_version = counter >> 30
    below_version = (counter & 0x3FFF_FFFF) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
    return UUID(int=milliseconds << 80 | VERSION | above_version << 64 | VARIANT | below_version)


def _next_position() -> tuple[int, int]:
    global _last_milliseconds, _last_counter
    with _lock:
        milliseconds = time.time_ns() // 1_000_000
        if milliseconds > _last_milliseconds:
            _last_milliseconds, _last_counter = milliseconds, _fresh_counter()
        elif _last_counter + 1 >> COUNTER_BITS:
            _last_milliseconds, _last_counter = _last_milliseconds + 1, _fresh_counter()
        else:
            _last_counter += 1
        return _last_milliseconds, _last_counter


def _fresh_counter() -> int:
    """A random start whose highest bit is free, so that one millisecond has room for two million million more."""
    return secrets.randbits(COUNTER_BITS - 1)
