"""The time zone of the person served: chosen once per request, used wherever a page shows a time."""

import zoneinfo
from contextvars import ContextVar
from datetime import UTC, tzinfo
from functools import lru_cache

_zone: ContextVar[tzinfo] = ContextVar("time_zone", default=UTC)

# Names that no person looks for: old spellings, offsets, and files that are no zones.
_UNNAMED = ("Etc/", "SystemV/", "posix/", "right/", "US/")


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """The zones that people may choose, as the tz database names them: by place, and UTC."""
    places = (name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(_UNNAMED))
    return ("UTC", *sorted(places))


def zone() -> tzinfo:
    """The reader's time zone; UTC while it is not known."""
    return _zone.get()


def live_in(name: str | None) -> None:
    """Show times of the zone `name` for the rest of this task; of UTC without one, or with one that does not exist."""
    _zone.set(zone_named(name))


def zone_named(name: str | None) -> tzinfo:
    """The zone `name`; UTC without one, or with one that does not exist."""
    try:
        return zoneinfo.ZoneInfo(name) if name else UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
