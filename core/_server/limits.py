"""How much, how many and how long: what a client may cost before the application is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one connection; sizes in bytes, times in seconds.

    A body has `body_seconds`, and again as long if `body_rate` bytes a second have arrived in that time; a client that stops
    reading its response has `send_seconds` until its connection is cut. `linger_seconds` is how long what a refused client
    is still sending is thrown away, so that it can read the refusal. `body_bytes` is the most that any route may ask for:
    the application's own limit is lower.
    """

    head_bytes: int = 32 * 1024
    header_count: int = 100
    target_bytes: int = 8 * 1024
    body_bytes: int = 256 * 1024 * 1024
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    body_rate: int = 1024
    send_seconds: float = 30.0
    linger_seconds: float = 2.0
