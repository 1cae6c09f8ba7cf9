"""The clock that can be moved."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from app import clock

DAY = timedelta(days=1)


def distance_from_the_present() -> timedelta:
    """How far the clock has been moved, in whole minutes."""
    return timedelta(minutes=round((clock.now() - datetime.now(UTC)) / timedelta(minutes=1)))


def test_now_is_the_present_in_utc() -> None:
    assert clock.now().tzinfo is UTC
    assert distance_from_the_present() == timedelta(0)


def test_journeys_add_up_in_both_directions() -> None:
    with clock.travel(3 * DAY), clock.travel(-DAY):
        assert distance_from_the_present() == 2 * DAY

    assert distance_from_the_present() == timedelta(0)


def test_a_journey_ends_with_an_error_too() -> None:
    with suppress(RuntimeError), clock.travel(DAY):
        raise RuntimeError

    assert distance_from_the_present() == timedelta(0)
