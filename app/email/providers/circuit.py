"""Leaving a provider alone that does not work, and trying it again with one message."""

import time
from collections.abc import Callable

FAILURES = 5
REST = 30.0  # Seconds.


class Circuit:
    """Closed: requests pass. After `failures` in a row open: none does, for `rest` seconds. Then half open: one does.

    Its success closes the circuit, its failure opens it again. The state is one process's: each learns for itself.
    """

    def __init__(
        self, *, failures: int = FAILURES, rest: float = REST, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._rest = rest
        self._now = now
        self._failures = 0
        self._opened_at: float | None = None
        self._is_probing = False

    @property
    def wait(self) -> float:
        """Seconds until a request may pass; zero if one may now."""
        if self._opened_at is None:
            return 0.0
        if self._is_probing:
            return self._rest
        return max(self._opened_at + self._rest - self._now(), 0.0)

    def enter(self) -> bool:
        """Whether a request may pass now. It must be followed by `succeeded`, `failed` or `left`."""
        if self.wait > 0:
            return False
        self._is_probing = self._opened_at is not None
        return True

    def succeeded(self) -> None:
        self._failures, self._opened_at, self._is_probing = 0, None, False

    def failed(self) -> None:
        self._failures += 1
        if self._is_probing or self._failures >= self._limit:
            self._opened_at = self._now()
        self._is_probing = False

    def left(self) -> None:
        """The request was cancelled and proves nothing."""
        self._is_probing = False
