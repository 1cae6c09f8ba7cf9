"""How fast a client may talk."""

import time

MESSAGES = 30
SECONDS = 10.0


class MessageRate:
    """At most `MESSAGES` at once, and as many again in `SECONDS`."""

    def __init__(self) -> None:
        self._left = float(MESSAGES)
        self._at = time.monotonic()

    def allows(self) -> bool:
        """Whether one more message may come now; counts it."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * MESSAGES / SECONDS, MESSAGES)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
