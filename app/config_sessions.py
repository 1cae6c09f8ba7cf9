"""How long people stay logged in, and how long a device stands for the second factor."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.config_rules import whole_number

IDLE_DAYS = 14
DAYS = 30


@dataclass(frozen=True, kw_only=True)
class SessionLifetimes:
    """A session ends when it was not used for `idle`, and after `whole` in any case: `remembered` where somebody asked for that.

    For `trusted` a device that its owner trusts stands for their second factor; zero: no device does.
    """

    idle: timedelta = timedelta(days=IDLE_DAYS)
    whole: timedelta = timedelta(days=DAYS)
    remembered: timedelta = timedelta(days=DAYS)
    trusted: timedelta = timedelta(days=DAYS)

    def longest(self, *, is_remembered: bool) -> timedelta:
        return self.remembered if is_remembered else self.whole


Value = Callable[..., object]


def read_sessions(value: Value) -> SessionLifetimes:
    """Read the settings of sessions with the reader's `value`."""

    def days(name: str, most: int, default: int, *, least: int = 1) -> timedelta:
        return timedelta(days=int(str(value(name, whole_number(least, most), default))))

    return SessionLifetimes(
        idle=days("SESSION_IDLE_DAYS", 90, IDLE_DAYS),
        whole=days("SESSION_DAYS", 90, DAYS),
        remembered=days("SESSION_REMEMBERED_DAYS", 365, DAYS),
        trusted=days("TRUSTED_DEVICE_DAYS", 90, DAYS, least=0),
    )


def session_problems(sessions: SessionLifetimes) -> list[str]:
    """Why the lifetimes contradict each other."""
    if sessions.remembered < sessions.whole:
        return [
            "SESSION_REMEMBERED_DAYS must be at least SESSION_DAYS: who asks to be remembered must not be forgotten sooner."
        ]
    return []
